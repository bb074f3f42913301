"""DEGnext: the genes of a tumor/normal RNA-seq cohort as up-regulated, down-regulated or neutral.

What is listed here is the public interface; the rooms behind it may change. A name is loaded when
it is first used, so that ``import degnext`` is quick; type checkers and editors read the imports.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from degnext._common.errors import InputError as InputError
    from degnext.cohorts.cohort import CANCERS as CANCERS
    from degnext.cohorts.cohort import CLASS_NAMES as CLASS_NAMES
    from degnext.cohorts.cohort import TRAINING as TRAINING
    from degnext.cohorts.cohort import UNTRAINED as UNTRAINED
    from degnext.cohorts.cohort import Cohort as Cohort
    from degnext.cohorts.cohort import registry as registry
    from degnext.cohorts.load import load_cohort as load_cohort
    from degnext.cohorts.paper import paper_table as paper_table
    from degnext.enrichment.analysis import enrich as enrich
    from degnext.evaluation.baselines import FoldChangeRule as FoldChangeRule
    from degnext.evaluation.metrics import evaluate as evaluate
    from degnext.labeling.calls import label as label
    from degnext.labeling.differential_expression import (
        differential_expression as differential_expression,
    )
    from degnext.learning.classifier import DEGnext as DEGnext
    from degnext.prediction.predict import predict as predict
    from degnext.preprocessing.filters import preprocess as preprocess
    from degnext.running.notebook_run import NotebookRun as NotebookRun

__version__ = "0.1.0"

_WHERE = {
    "CANCERS": "cohorts.cohort",
    "CLASS_NAMES": "cohorts.cohort",
    "Cohort": "cohorts.cohort",
    "DEGnext": "learning.classifier",
    "FoldChangeRule": "evaluation.baselines",
    "InputError": "_common.errors",
    "NotebookRun": "running.notebook_run",
    "TRAINING": "cohorts.cohort",
    "UNTRAINED": "cohorts.cohort",
    "differential_expression": "labeling.differential_expression",
    "enrich": "enrichment.analysis",
    "evaluate": "evaluation.metrics",
    "label": "labeling.calls",
    "load_cohort": "cohorts.load",
    "paper_table": "cohorts.paper",
    "predict": "prediction.predict",
    "preprocess": "preprocessing.filters",
    "registry": "cohorts.cohort",
}
__all__ = list(_WHERE)

if not TYPE_CHECKING:  # a checker would take any name for a good one

    def __getattr__(name: str) -> Any:
        if name in _WHERE:
            return getattr(import_module(f".{_WHERE[name]}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
