"""Measures of a system that answers with a confidence, so that it may also decline.

Every measure takes one entry for each text: its confidence, whether the answer is right (never for
a text that is out of scope), and whether it is in scope.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score


class Outcomes(NamedTuple):
    """What a system did with each text; all arrays have the same length."""

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    in_scope: NDArray[np.bool_]


def accuracy(outcomes: Outcomes) -> float:
    """Share of the texts in scope whose answer is right, when nothing is declined."""
    return float(outcomes.right[outcomes.in_scope].mean())


def separation(outcomes: Outcomes) -> float:
    """Area under the ROC curve of telling texts in scope from others by the confidence."""
    return float(roc_auc_score(outcomes.in_scope, outcomes.confidence))


def risks(outcomes: Outcomes) -> NDArray[np.float64]:
    """Share of wrong answers among the 1, 2, ... most confident ones."""
    order = np.argsort(-outcomes.confidence, kind="stable")
    return np.asarray(np.cumsum(~outcomes.right[order]) / np.arange(1, len(order) + 1))


def area_under_risk(outcomes: Outcomes) -> float:
    """Area under the risk-coverage curve; lower is better."""
    return float(risks(outcomes).mean())


def coverage_at(outcomes: Outcomes, precision: float) -> float:
    """Largest share of all texts that can be answered with at least that share right."""
    allowed = np.flatnonzero(1 - risks(outcomes) >= precision)
    return float((allowed[-1] + 1) / len(outcomes.right)) if len(allowed) else 0.0


def answered_rightly(outcomes: Outcomes, strays: float) -> float:
    """Share of the texts in scope that are answered, and rightly, at a threshold.

    It is the lowest at which no more than the share `strays` of those out of scope is answered.
    """
    outside = np.sort(outcomes.confidence[~outcomes.in_scope])[::-1]
    allowed = int(strays * len(outside))
    above = outside[allowed] if allowed < len(outside) else -np.inf
    answered = outcomes.confidence > above
    return float((outcomes.right & answered)[outcomes.in_scope].mean())
