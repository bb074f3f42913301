"""DEGnext: the genes of a tumor/normal RNA-seq cohort as up-regulated, down-regulated or neutral.

What is listed here is the public interface; the rooms behind it may change. A name is loaded when
it is first used, so that ``import degnext`` is quick; type checkers and editors read the imports.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from degnext._common.errors import InputError
    from degnext.cohorts.cohort import CANCERS, CLASS_NAMES, TRAINING, UNTRAINED, Cohort, registry
    from degnext.cohorts.load import load_cohort
    from degnext.cohorts.paper import paper_table
    from degnext.enrichment.analysis import enrich
    from degnext.evaluation.baselines import FoldChangeRule
    from degnext.evaluation.metrics import evaluate
    from degnext.labeling.calls import label
    from degnext.labeling.differential_expression import differential_expression
    from degnext.learning.classifier import DEGnextClassifier
    from degnext.learning.profile.classifier import ProfileClassifier
    from degnext.prediction.predict import predict
    from degnext.preprocessing.filters import preprocess
    from degnext.running.notebook_run import NotebookRun

__version__ = "0.1.0"
__all__ = ["CANCERS", "CLASS_NAMES", "Cohort", "DEGnextClassifier", "FoldChangeRule"]
__all__ += ["InputError", "NotebookRun", "ProfileClassifier", "TRAINING", "UNTRAINED"]
__all__ += ["differential_expression", "enrich", "evaluate", "label", "load_cohort"]
__all__ += ["paper_table", "predict", "preprocess", "registry"]

_NAMES = {
    "_common.errors": "InputError",
    "cohorts.cohort": "CANCERS CLASS_NAMES Cohort TRAINING UNTRAINED registry",
    "cohorts.load": "load_cohort",
    "cohorts.paper": "paper_table",
    "enrichment.analysis": "enrich",
    "evaluation.baselines": "FoldChangeRule",
    "evaluation.metrics": "evaluate",
    "labeling.calls": "label",
    "labeling.differential_expression": "differential_expression",
    "learning.classifier": "DEGnextClassifier",
    "learning.profile.classifier": "ProfileClassifier",
    "prediction.predict": "predict",
    "preprocessing.filters": "preprocess",
    "running.notebook_run": "NotebookRun",
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}

if not TYPE_CHECKING:  # a checker would take any name for a good one

    def __getattr__(name: str) -> Any:
        if name in _WHERE:
            return getattr(import_module(f".{_WHERE[name]}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
