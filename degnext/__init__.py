"""DEGnext: classify the genes of a tumor/normal RNA-seq cohort as up-regulated, down-regulated or neutral.

The notebooks import this module; what is heavy (torch, scikit-learn) is loaded when it is first used.
"""

from importlib import import_module

__version__ = "0.1.0"

_WHERE = {
    "CANCERS": "cohorts.cohort",
    "CLASS_NAMES": "cohorts.cohort",
    "TRAINING": "cohorts.cohort",
    "UNTRAINED": "cohorts.cohort",
    "Cohort": "cohorts.cohort",
    "Cohort": "cohorts.cohort",
    "registry": "cohorts.cohort",
    "load_cohort": "cohorts.load",
    "InputError": "_common.errors",
    "DEGnext": "learning.classifier",
    "Step": "running.notebook_run",
    "paper_table": "cohorts.paper",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str):
    if name in _WHERE:
        return getattr(import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'degnext' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
