"""The paper's five machine-learning methods and the one-line log-fold-change rule, with the estimator interface of DEGnext."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from degnext._common.errors import InputError, check_choice
from degnext.cohorts.cohort import NEUTRAL
from degnext.learning.profile.image import CHANNELS, profile_image


class TwoStage(ClassifierMixin, BaseEstimator):
    """Give a scikit-learn classifier the two stages of DEGnext.

    ``fit`` learns three classes; ``fine_tune`` refits on the UR and DR genes seen in ``fit`` together with its own, since
    these methods cannot go on from where they stopped.
    """

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator

    def fit(self, X: np.ndarray, y: np.ndarray) -> TwoStage:
        """Learn from X (genes × features) and labels y in {0, 1, 2}."""
        self._seen = (np.asarray(X), np.asarray(y))
        return self._refit(*self._seen)

    def fine_tune(self, X: np.ndarray, y: np.ndarray) -> TwoStage:
        """Refit on the two-class genes of both stages."""
        if not hasattr(self, "_seen"):
            raise InputError("fine_tune goes on from fit: call fit first")
        seen, labels = self._seen
        called = labels != NEUTRAL
        return self._refit(np.concatenate([seen[called], X]), np.concatenate([labels[called], y]))

    def _refit(self, X: np.ndarray, y: np.ndarray) -> TwoStage:
        self.classes_ = np.unique(y)
        self.model_ = clone(self.estimator).fit(X, np.searchsorted(self.classes_, y))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return one label per gene."""
        return self.classes_[self.model_.predict(X)]

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return class probabilities with columns 0 … K−1, where K is 2 after fine-tuning and 3 before."""
        out = np.zeros((len(X), int(max(self.classes_.max() + 1, 2))))
        out[:, self.classes_] = self.model_.predict_proba(X)
        return out


class LogFoldChangeRule(ClassifierMixin, BaseEstimator):
    """Call a gene UR when its mean over tumor samples exceeds its mean over normal ones: one line of arithmetic.

    X is genes × samples, ``is_tumor`` marks its columns; ``values`` says what X holds: ``log_cpm`` as row_values gives them
    (means are taken of the counts per million, not of their logs: that is the fold change of edgeR) or raw ``counts``. For
    three classes the threshold on the absolute log2 fold change, below which a gene is neutral, is learned from y.
    """

    def __init__(self, is_tumor: np.ndarray | None = None, values: str = "log_cpm") -> None:
        self.is_tumor, self.values = is_tumor, values

    def log_fc(self, X: np.ndarray) -> np.ndarray:
        """Return log2 of (mean over tumor + 1) / (mean over normal + 1) of each row."""
        check_choice("values", self.values, ("log_cpm", "counts"))
        if self.is_tumor is None or len(self.is_tumor) != X.shape[1]:
            raise InputError(
                "the rule needs is_tumor with one entry per column of X: set_params(is_tumor=cohort.is_tumor)"
            )
        linear = (
            np.exp2(np.asarray(X, dtype=float)) - 1
            if self.values == "log_cpm"
            else np.asarray(X, dtype=float)
        )
        tumor = np.asarray(self.is_tumor, dtype=bool)
        return np.log2(linear[:, tumor].mean(axis=1) + 1) - np.log2(
            linear[:, ~tumor].mean(axis=1) + 1
        )

    def fit(self, X: np.ndarray, y: np.ndarray) -> LogFoldChangeRule:
        """Learn the neutral threshold (three classes) from the training genes: the one of highest accuracy."""
        change, y = self.log_fc(X), np.asarray(y)
        self.scale_ = float(np.std(change)) or 1.0
        self.classes_ = np.arange(3) if (y == NEUTRAL).any() else np.arange(2)
        self.threshold_ = 0.0
        if len(self.classes_) == 3:
            order = np.argsort(np.abs(change))
            right_if_called = ((change > 0).astype(int) == y)[order]
            neutral_below = np.concatenate([[0], np.cumsum(y[order] == NEUTRAL)])
            called_above = np.concatenate([np.cumsum(right_if_called[::-1])[::-1], [0]])
            cut = int(np.argmax(neutral_below + called_above))
            self.threshold_ = float(np.abs(change)[order][cut - 1]) if cut else 0.0
        return self

    def fine_tune(self, X: np.ndarray, y: np.ndarray) -> LogFoldChangeRule:
        """Nothing is learned for two classes: the sign decides."""
        self.classes_, self.threshold_ = np.arange(2), 0.0
        if len(X) or not hasattr(self, "scale_"):  # a cohort may have no bio genes to tune on
            self.scale_ = (float(np.std(self.log_fc(X))) if len(X) else 0.0) or 1.0
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return scores that rank genes by fold change; they are no calibrated probabilities."""
        z = np.clip(self.log_fc(X) / self.scale_, -30, 30)
        up = 1 / (1 + np.exp(-z))
        if len(self.classes_) == 2:
            return np.column_stack([1 - up, up])
        neutral = 1 / (
            1 + np.exp(np.clip(4 * (np.abs(z) - self.threshold_ / self.scale_), -30, 30))
        )
        return np.column_stack([(1 - up) * (1 - neutral), up * (1 - neutral), neutral])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the sign of the change as 0 or 1, and 2 below the learned threshold."""
        change = self.log_fc(X)
        return np.where(
            np.abs(change) <= self.threshold_,
            NEUTRAL if len(self.classes_) == 3 else 0,
            (change > 0).astype(int),
        )


def _threads() -> int:
    """Return how many threads a forest may use: no more than ``OMP_NUM_THREADS``, since idle ones that spin slow a shared machine."""
    from degnext._common.parallel import n_threads

    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(n_threads(), int(limit)) if limit.isdigit() and int(limit) > 0 else n_threads()


PAPER_FIVE = ("Decision tree", "k-NN", "Random forest", "SVM", "XGBoost")
STRONG = ("Logistic regression", "Gradient boosting")


def paper_baselines(seed: int = 0, probabilities: bool = True) -> dict[str, Callable[[], TwoStage]]:
    """Return factories of the paper's five methods by their names in its figures, with library defaults.

    XGBoost sorts values into 64 bins instead of 256: with hundreds of samples a third of the time, and no worse.
    ``probabilities=False`` leaves out the SVM's calibration, which takes four fits instead of one and does not change its calls much.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier
    from xgboost import XGBClassifier

    threads = _threads()

    def svm() -> BaseEstimator:
        machine = make_pipeline(StandardScaler(), SVC(random_state=seed))
        return CalibratedClassifierCV(machine, cv=3, ensemble=False) if probabilities else machine

    return {
        "Decision tree": lambda: TwoStage(DecisionTreeClassifier(random_state=seed)),
        "k-NN": lambda: TwoStage(make_pipeline(StandardScaler(), KNeighborsClassifier())),
        "Random forest": lambda: TwoStage(
            RandomForestClassifier(random_state=seed, n_jobs=threads)
        ),
        "SVM": lambda: TwoStage(svm()),
        "XGBoost": lambda: TwoStage(XGBClassifier(max_bin=64, random_state=seed, n_jobs=threads)),
    }


def strong_references(seed: int = 0) -> dict[str, Callable[[], TwoStage]]:
    """Return factories of two methods that do well on the profile's numbers: logistic regression and gradient boosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return {
        "Logistic regression": lambda: TwoStage(
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        ),
        "Gradient boosting": lambda: TwoStage(HistGradientBoostingClassifier(random_state=seed)),
    }


@lru_cache(maxsize=1)
def _painted() -> tuple[bool, ...]:
    """Say of each channel of the profile image whether it holds one number per row (found out on a small random cohort)."""
    counts = np.random.default_rng(0).integers(1, 1000, (4, 12))
    image = profile_image(counts, np.arange(12) >= 6)
    return tuple((np.ptp(image[:, k], axis=-1) == 0).all() for k in range(image.shape[1]))


def profile_features(images: np.ndarray, channels: Sequence[str]) -> np.ndarray:
    """Return the numbers that a profile image holds, genes × features: wide channels in full, painted ones once per row.

    images: as ``ProfileClassifier.encode`` gives them; ``channels``: their names (``ProfileClassifier.channels``).
    """
    painted = dict(zip(CHANNELS, _painted()))
    parts = [
        images[:, k, :, :1] if painted[name] else images[:, k] for k, name in enumerate(channels)
    ]
    return np.concatenate([p.reshape(len(images), -1) for p in parts], axis=1)
