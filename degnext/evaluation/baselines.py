"""What every network is held against: the paper's five methods, two strong ones, one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from degnext._common.errors import InputError
from degnext.cohorts.cohort import CLASS_NAMES, NEUTRAL, label_codes
from degnext.cohorts.library_size import log_fold_change
from degnext.learning.profile.image import CHANNELS

PRIOR_CPM = 1.0  # of the rule, added to both group means: log2(x + 1) of the rows stays finite
PAPER_FIVE = ("Decision tree", "k-NN", "Random forest", "SVM", "XGBoost")
STRONG = ("Logistic regression", "Gradient boosting")
_TWO, _THREE = np.array(CLASS_NAMES[:2], object), np.array(CLASS_NAMES, object)
_WIDE = CHANNELS[:2]  # of the profile image; the other channels hold one number per row


class FoldChangeRule(ClassifierMixin, BaseEstimator):
    """Call a gene UR when its mean over tumor samples exceeds its mean over normal ones.

    X is genes × samples as :func:`degnext.learning.images.row_values` gives it, log2(counts per
    million + 1); ``counts=True`` takes raw counts instead. Means are taken of the counts, not of
    their logs: that is the fold change of edgeR. groups: "normal" or "tumor" per column of X.
    threshold: absolute log2 fold change up to which a gene is neutral; 0 tells directions only.
    Nothing has to be fitted: ``fit`` learns the threshold where y has neutral genes.
    """

    def __init__(self, threshold: float = 0.0, *, counts: bool = False) -> None:
        self.threshold, self.counts = threshold, counts

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def log_fold_change(self, X: np.ndarray, *, groups: Sequence[str]) -> np.ndarray:
        """Return log2 of (mean over tumor + 1) / (mean over normal + 1) of each row (genes,).

        Raises InputError unless there is one group per column and a sample of each group.
        """
        X, groups = np.asarray(X, dtype=float), np.asarray(groups, dtype=object)
        if X.ndim != 2 or len(groups) != X.shape[1] or set(groups) != {"normal", "tumor"}:
            cure = "pass groups= with 'normal' or 'tumor' for each column of X, and both among them"
            raise InputError(f"the rule needs the groups of {X.shape[-1]} samples: {cure}")
        linear = X if self.counts else np.exp2(X) - 1
        return log_fold_change(linear, groups == "tumor", np.ones(len(groups)), PRIOR_CPM)

    def fit(self, X: np.ndarray, y: Sequence[str], *, groups: Sequence[str]) -> FoldChangeRule:
        """Learn the neutral threshold of highest accuracy if y has neutral genes; return self."""
        y = label_codes(y)
        self.classes_, self.threshold_, self.scale_ = _TWO, 0.0, 1.0
        if not (y == NEUTRAL).any():
            return self
        change = self.log_fold_change(X, groups=groups)
        order = np.argsort(np.abs(change))
        right_if_called = ((change > 0) == y)[order]
        neutral_below = np.concatenate([[0], np.cumsum(y[order] == NEUTRAL)])
        called_above = np.concatenate([np.cumsum(right_if_called[::-1])[::-1], [0]])
        cut = int(np.argmax(neutral_below + called_above))
        self.threshold_ = float(np.abs(change)[order][cut - 1]) if cut else 0.0
        self.classes_, self.scale_ = _THREE, float(np.std(change)) or 1.0
        return self

    def fine_tune(self, X: object, y: object, *, groups: object = None) -> FoldChangeRule:
        """Return a new rule for two classes: the sign decides, nothing is learned."""
        return clone(self).set_params(threshold=0.0)

    def _learned(self) -> tuple[np.ndarray, float, float]:
        if hasattr(self, "threshold_"):
            return self.classes_, self.threshold_, self.scale_
        return (_THREE if self.threshold else _TWO), self.threshold, 1.0

    def predict(self, X: np.ndarray, *, groups: Sequence[str]) -> np.ndarray:
        """Return "UR" or "DR" by the sign of the change, "neutral" up to the threshold (genes,)."""
        (classes, threshold, _), change = self._learned(), self.log_fold_change(X, groups=groups)
        called = (change > 0).astype(int)
        if len(classes) == 3:
            called[abs(change) <= threshold] = 2
        return classes[called]

    def predict_proba(self, X: np.ndarray, *, groups: Sequence[str]) -> np.ndarray:
        """Return scores that rank genes by fold change, not calibrated; columns as classes."""
        classes, threshold, scale = self._learned()
        z = np.clip(self.log_fold_change(X, groups=groups) / scale, -30, 30)
        up = 1 / (1 + np.exp(-z))
        if len(classes) == 2:
            return np.column_stack([1 - up, up])
        neutral = 1 / (1 + np.exp(np.clip(4 * (np.abs(z) - threshold / scale), -30, 30)))
        return np.column_stack([(1 - up) * (1 - neutral), up * (1 - neutral), neutral])


class TwoStage(ClassifierMixin, BaseEstimator):
    """Give a scikit-learn classifier the two stages of the paper's network, and spelled labels.

    ``fit`` learns three classes; ``fine_tune`` returns a new model, trained on the UR and DR genes
    seen in ``fit`` together with its own, since these methods cannot go on from where they stopped.
    ``groups`` is taken everywhere, as the networks and the rule take it, and not used.
    """

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator

    def fit(self, X: np.ndarray, y: Sequence[str], *, groups: object = None) -> TwoStage:
        """Learn from X (genes × features) and labels y; return self."""
        self._seen = np.asarray(X), np.asarray(y, dtype=object)
        self._present, codes = np.unique(label_codes(y), return_inverse=True)
        self.classes_ = _THREE if NEUTRAL in self._present else _TWO
        self.model_ = clone(self.estimator).fit(X, codes)
        return self

    def fine_tune(self, X: np.ndarray, y: Sequence[str], *, groups: object = None) -> TwoStage:
        """Return a new model for two classes, fitted to the UR and DR genes of both stages."""
        if not hasattr(self, "_seen"):
            raise InputError("fine_tune goes on from fit: call fit first")
        (seen, labels), called = self._seen, self._seen[1] != "neutral"
        both = np.concatenate([labels[called], np.asarray(y, dtype=object)])
        return clone(self).fit(np.concatenate([seen[called], X]), both)

    def predict(self, X: np.ndarray, *, groups: object = None) -> np.ndarray:
        """Return one label per gene."""
        return _THREE[self._present[self.model_.predict(X)]]

    def predict_proba(self, X: np.ndarray, *, groups: object = None) -> np.ndarray:
        """Return probabilities, columns as in ``classes_``: DR, UR, before fine-tuning neutral."""
        out = np.zeros((len(X), len(self.classes_)))
        out[:, self._present] = self.model_.predict_proba(X)
        return out


def paper_baselines(seed: int = 0, probabilities: bool = True) -> dict[str, Callable[[], TwoStage]]:
    """Return factories of the paper's five methods, library defaults, by name.

    XGBoost sorts values into 64 bins instead of 256: with hundreds of samples a third of the time,
    and no worse. ``probabilities=False`` leaves out the SVM's calibration, which takes four fits
    instead of one and does not change its calls much.
    """
    from joblib import cpu_count
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier
    from xgboost import XGBClassifier

    # idle threads beyond OMP_NUM_THREADS slow a shared machine
    threads = min(cpu_count(), int(os.environ.get("OMP_NUM_THREADS") or cpu_count()))
    forest = {"random_state": seed, "n_jobs": threads}
    svm = _scaled(SVC(random_state=seed))
    if probabilities:
        svm = CalibratedClassifierCV(svm, cv=3, ensemble=False)
    tree, neighbours = DecisionTreeClassifier(random_state=seed), _scaled(KNeighborsClassifier())
    trees = RandomForestClassifier(**forest), XGBClassifier(max_bin=64, **forest)
    return _factories(PAPER_FIVE, (tree, neighbours, trees[0], svm, trees[1]))


def strong_references(seed: int = 0) -> dict[str, Callable[[], TwoStage]]:
    """Return factories of two methods that do well on the profile's numbers."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    boosting = HistGradientBoostingClassifier(random_state=seed)
    return _factories(STRONG, (_scaled(LogisticRegression(max_iter=2000)), boosting))


def _scaled(model: BaseEstimator) -> BaseEstimator:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


def _factories(names: Sequence[str], models: Sequence[BaseEstimator]) -> dict[str, Callable]:
    return {name: lambda m=m: TwoStage(clone(m)) for name, m in zip(names, models)}


def profile_features(images: np.ndarray, channels: Sequence[str]) -> np.ndarray:
    """Return the numbers of profile images, genes × features, each once: wide channels in full.

    images: as ``ProfileClassifier.encode`` gives them; channels: their names
    (``resolved["channels"]``).
    """
    wide = [images[:, k, :, : None if c in _WIDE else 1] for k, c in enumerate(channels)]
    return np.concatenate([part.reshape(len(images), -1) for part in wide], axis=1)
