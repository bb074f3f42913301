# The public interface, read by type checkers, by editors and by lazy_loader.
from ._common.errors import InputError as InputError
from .cohorts.cohort import CANCERS as CANCERS
from .cohorts.cohort import CLASS_NAMES as CLASS_NAMES
from .cohorts.cohort import TRAINING as TRAINING
from .cohorts.cohort import UNTRAINED as UNTRAINED
from .cohorts.cohort import Cohort as Cohort
from .cohorts.cohort import registry as registry
from .cohorts.load import load_cohort as load_cohort
from .cohorts.paper import paper_table as paper_table
from .enrichment.analysis import enrich as enrich
from .evaluation.baselines import FoldChangeRule as FoldChangeRule
from .evaluation.metrics import evaluate as evaluate
from .figures.quiz import show_quiz as show_quiz
from .labeling.calls import label as label
from .labeling.differential_expression import complete_pairs as complete_pairs
from .labeling.differential_expression import differential_expression as differential_expression
from .learning.classifier import DEGnextClassifier as DEGnextClassifier
from .learning.profile.classifier import ProfileClassifier as ProfileClassifier
from .prediction.predict import predict as predict
from .preprocessing.filters import preprocess as preprocess
from .running.notebook_run import NotebookRun as NotebookRun

__version__: str
