"""Where the package's weights lie; apart from the classifier, so that a look takes no torch."""

from pathlib import Path

WEIGHTS = Path(__file__).resolve().parent / "weights"
PRETRAINED = ("two_class", "three_class", "few_samples", "standard", "standard_few")
