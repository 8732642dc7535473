"""The pictures of the speed report, drawn from what is stored of a run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.bench.bars import DEFAULT, FLOOR, GROWTH
from evaluation.pictures import AMBER, GREY, RED, TEAL, WIDTH, tidy

COLOURS = {
    "floor": GREY,
    "default": AMBER,
    "ours": TEAL,
    "ours in memory": "#7fb3ae",
    "ours, light": "#7fb3ae",
}
KINDS = ("answer", "crisis", "fallback")

Rows = Sequence[Mapping[str, Any]]
Picture = tuple[str, Figure]
"""A caption and what it says."""


def pictures(name: str, part: Mapping[str, Any]) -> list[Picture]:
    """Return the pictures of a part of the measurement."""
    return list(_DRAWN[name](part["rows"]))


def _turns(rows: Rows) -> Iterator[Picture]:
    figure, axes = _figure()
    lanes = list(dict.fromkeys((row["assistant"], row["channel"]) for row in rows))
    width = 0.8 / len(lanes)
    for place, (assistant, channel) in enumerate(lanes):
        found = {
            r["kind"]: r for r in rows if (r["assistant"], r["channel"]) == (assistant, channel)
        }
        x = np.arange(len(KINDS)) + (place - (len(lanes) - 1) / 2) * width
        medians = np.array([found[kind]["median"] for kind in KINDS])
        above = np.array([found[kind]["p95"] for kind in KINDS]) - medians
        axes.bar(
            *(x, medians, width * 0.92),
            yerr=[np.zeros(len(KINDS)), above],
            color=COLOURS[assistant],
            hatch="//" if channel == "web" else None,
            edgecolor="white",
            ecolor="black",
            capsize=2,
            label=f"{assistant}, {channel}",
        )
    median = {(r["assistant"], r["kind"]): r["median"] for r in rows if r["channel"] == "rest"}
    for at, kind in enumerate(KINDS):
        if ("floor", kind) in median:
            _level(axes, at, FLOOR * median["floor", kind], RED)
        if ("default", kind) in median and kind != "crisis":
            _level(axes, at, median["default", kind] / DEFAULT, "black")
    axes.set_xticks(range(len(KINDS)), ["answer (action)", "crisis (plain)", "fallback (action)"])
    axes.set_ylabel("milliseconds")
    axes.legend(frameon=False, fontsize=8)
    yield (
        "Median of a turn; the whisker ends at 95 % of the turns. Ours has to stay below the red "
        f"line, {FLOOR} times the floor, and below the black one, the default over {DEFAULT}.",
        tidy(figure),
    )


def _throughput(rows: Rows) -> Iterator[Picture]:
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, key, label in ((left, "per_second", "messages a second"), (right, "p95", "95 %, ms")):
        for assistant in dict.fromkeys(row["assistant"] for row in rows):
            found = [row for row in rows if row["assistant"] == assistant]
            x = [row["visitors"] for row in found]
            axes.plot(x, [r[key] for r in found], "o-", color=COLOURS[assistant], label=assistant)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sorted({row["visitors"] for row in rows}))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.set_xlabel("visitors at once")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    left.legend(frameon=False)
    yield "Visitors who talk without pause.", tidy(figure)


def _start(rows: Rows) -> Iterator[Picture]:
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    names = [row["assistant"] for row in rows]
    colours = [COLOURS[name] for name in names]
    for axes, key, label in (
        (left, "seconds", "seconds to the first answer"),
        (middle, "assistant_mb", "MB of memory"),
        (right, "model_mb", "MB of model"),
    ):
        axes.bar_label(axes.bar(names, [row[key] for row in rows], color=colours), fontsize=8)
        axes.set_ylabel(label)
    middle.bar(
        names,
        [row["actions_mb"] for row in rows],
        bottom=[row["assistant_mb"] for row in rows],
        color=colours,
        alpha=0.5,
    )
    yield "Paler, above the assistant's memory: its action server.", tidy(figure)


def _growth(rows: Rows) -> Iterator[Picture]:
    figure, axes = _figure()
    _line(axes, [row["topics"] for row in rows], rows, "ours")
    axes.axhline(GROWTH * rows[0]["median"], color=RED, linewidth=1, linestyle="--")
    axes.set_xlabel("topics")
    axes.set_ylabel("ms to understand a message")
    yield f"Below the red line: {GROWTH} times what the fewest topics cost.", tidy(figure)


def _length(rows: Rows) -> Iterator[Picture]:
    figure, axes = _figure()
    for assistant in dict.fromkeys(row["assistant"] for row in rows):
        found = [row for row in rows if row["assistant"] == assistant]
        _line(axes, [row["turn"] for row in found], found, assistant)
    axes.set_xlabel("turn of one conversation")
    axes.set_ylabel("milliseconds")
    axes.legend(frameon=False)
    yield "The median, and 95 % of the turns.", tidy(figure)


def _training(rows: Rows) -> Iterator[Picture]:
    ended = [row for row in rows if row["seconds"] is not None]
    figure = Figure(figsize=(WIDTH, 1.6), layout="constrained")
    axes = figure.subplots()
    names = [row["assistant"] for row in ended]
    drawn = axes.barh(
        names, [row["seconds"] for row in ended], color=[COLOURS[name] for name in names]
    )
    axes.bar_label(drawn, fontsize=8)
    axes.set_xlabel("seconds; a training that was ended unfinished is not drawn")
    yield "Training as a whole process.", tidy(figure)


def _line(axes: Axes, x: Sequence[float], rows: Rows, name: str) -> None:
    median = np.array([row["median"] for row in rows])
    above = np.array([row["p95"] for row in rows]) - median
    axes.errorbar(
        *(x, median),
        yerr=[np.zeros(len(rows)), above],
        fmt="o-",
        capsize=3,
        color=COLOURS[name],
        label=name,
    )
    axes.set_ylim(bottom=0)


def _level(axes: Axes, x: float, value: float, colour: str) -> None:
    axes.plot([x - 0.42, x + 0.42], [value, value], color=colour, linestyle="--", linewidth=1)


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    return figure, figure.subplots()


_DRAWN: dict[str, Callable[[Rows], Iterator[Picture]]] = {
    "turns": _turns,
    "throughput": _throughput,
    "start": _start,
    "growth": _growth,
    "length": _length,
    "training": _training,
}
