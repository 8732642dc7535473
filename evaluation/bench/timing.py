"""What a series of times says: median, tail, and how two series compare."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

RESAMPLES = 2000
Floats = NDArray[np.float64]


class Latency(NamedTuple):
    """Times of some messages, in milliseconds."""

    messages: int
    median: float
    p95: float
    p99: float


class Ratio(NamedTuple):
    """A ratio with its 95 % interval."""

    value: float
    low: float
    high: float


def latency(milliseconds: Sequence[float]) -> Latency:
    """Return what a series of times says; it must not be empty."""
    median, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    return Latency(len(milliseconds), *(round(float(v), 2) for v in (median, p95, p99)))


def ratio_of_medians(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """Return the ratio of two medians with its bootstrap interval.

    The series belong together round by round, so rounds are drawn, and a disturbance that hit both
    counts for neither. Raises ValueError when they differ in length or have less than two rounds.
    """
    if len(above) != len(below) or len(above) < 2:
        raise ValueError("a ratio needs two series of the same rounds, and at least two of them")
    value = float(np.median(above) / np.median(below))
    if np.ptp(above) == 0 and np.ptp(below) == 0:
        return Ratio(value, value, value)
    interval = bootstrap(
        (np.asarray(above), np.asarray(below)),
        _ratio,
        n_resamples=RESAMPLES,
        paired=True,
        vectorized=True,
        method="percentile",
        random_state=0,
    ).confidence_interval
    return Ratio(*(round(float(v), 3) for v in (value, interval.low, interval.high)))


def _ratio(above: Floats, below: Floats, axis: int = -1) -> Any:
    return np.median(above, axis=axis) / np.median(below, axis=axis)
