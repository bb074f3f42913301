"""DEGnext: classify the genes of a tumor/normal RNA-seq cohort as up-regulated, down-regulated or neutral.

The notebooks import this module; what is heavy (torch, scikit-learn) is loaded when it is first used.
"""

from importlib import import_module

__version__ = "0.1.0"

_WHERE = {
    "CANCERS": "cohorts", "CLASS_NAMES": "cohorts", "TRAINING": "cohorts", "UNTRAINED": "cohorts", "Cohort": "cohorts",
    "LabeledCohort": "cohorts", "registry": "cohorts", "load_cohort": "sources", "InputError": "errors", "DEGnext": "estimator",
    "Step": "run", "paper_table": "paper",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str):
    if name in _WHERE:
        return getattr(import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module 'degnext' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
