"""The bars of speed: what the measured figures have to keep."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Interval = tuple[float, float]
Parts = Mapping[str, Mapping[str, Any]]
"""What was measured, by the name of the part."""

FLOOR = 1.5
DEFAULT = 2.5
P95 = 0.5
HALF = 0.5
TRAINING = 10.0
GROWTH = 1.5


class Bar(NamedTuple):
    """A figure and what it has to keep: a highest or a lowest value."""

    name: str
    value: float
    interval: Interval | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the figure keeps its bar; the interval does not count."""
        low_enough = self.at_most is None or self.value <= self.at_most
        return low_enough and (self.at_least is None or self.value >= self.at_least)

    @property
    def limit(self) -> str:
        """The bar in words."""
        return (
            f"at most {self.at_most:g}" if self.at_least is None else f"at least {self.at_least:g}"
        )

    def __str__(self) -> str:
        between = f" ({self.interval[0]:.2f} to {self.interval[1]:.2f})" if self.interval else ""
        kept = "kept" if self.kept else "MISSED"
        return f"{self.name}: {self.value:.2f}{between}, {self.limit}: {kept}"


def bars(parts: Parts) -> list[Bar]:
    """Return every bar that the measured parts speak of."""
    return [*_turns(parts), *_throughput(parts), *_start(parts), *_growth(parts), *_training(parts)]


def _turns(parts: Parts) -> Iterator[Bar]:
    for name, ratio in parts.get("turns", {}).get("ratios", {}).items():
        if name.endswith("ours / floor"):
            yield _of_ratio(f"turn, {name}", ratio, at_most=FLOOR)
        # A crisis reply is plain; the bar is on turns with a custom action.
        elif name.endswith("default / ours") and not name.startswith("crisis"):
            yield _of_ratio(f"turn, {name}", ratio, at_least=DEFAULT)


def _throughput(parts: Parts) -> Iterator[Bar]:
    rows = parts.get("throughput", {}).get("rows", [])
    most = max((row["visitors"] for row in rows), default=0)
    p95 = {row["assistant"]: row["p95"] for row in rows if row["visitors"] == most}
    if {"ours", "default"} <= p95.keys():
        name = f"95 % of turns at {most} visitors, ours / default"
        yield Bar(name, p95["ours"] / p95["default"], at_most=P95)


def _start(parts: Parts) -> Iterator[Bar]:
    rows = {row["assistant"]: row for row in parts.get("start", {}).get("rows", [])}
    if {"ours", "default"} <= rows.keys():
        for name, key in (("start to first answer", "seconds"), ("memory", "assistant_mb")):
            value = rows["ours"][key] / rows["default"][key]
            yield Bar(f"{name}, ours / default", value, at_most=HALF)


def _growth(parts: Parts) -> Iterator[Bar]:
    for name, ratio in parts.get("growth", {}).get("ratios", {}).items():
        yield _of_ratio(f"understanding, {name}", ratio, at_most=GROWTH)
    for name, ratio in parts.get("length", {}).get("ratios", {}).items():
        if name.startswith("ours"):
            yield _of_ratio(name, ratio, at_most=GROWTH)


def _training(parts: Parts) -> Iterator[Bar]:
    part = parts.get("training")
    if part:
        seconds = {row["assistant"]: row["seconds"] for row in part["rows"]}
        times = part["factor"]
        if seconds["default"] is not None:
            times = seconds["default"] / seconds["ours"]
        yield Bar("training, default / ours", times, at_least=TRAINING)


def _of_ratio(name: str, ratio: Mapping[str, float], **limit: float) -> Bar:
    return Bar(name, ratio["value"], (ratio["low"], ratio["high"]), **limit)
