"""The pictures of the report: each returns a figure."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from evaluation.own_examples import Study
from evaluation.safety import Rate
from evaluation.selective import Outcomes, risks
from guide.bands import Thresholds

WIDTH = 8.4
"""Of every picture, in inches."""

TEAL, AMBER, RED, GREY = "#1d5c58", "#e0a63a", "#b3442f", "#8a9290"
_MOST_CONFUSED = 24


def risk_coverage(curves: Mapping[str, Outcomes]) -> Figure:
    """Draw the share of wrong answers over the share of texts answered, a line for each name."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    for (name, outcomes), colour in zip(curves.items(), (TEAL, AMBER, RED), strict=False):
        risk = risks(outcomes)
        coverage = np.arange(1, len(risk) + 1) / len(risk)
        axes.plot(100 * coverage, 100 * risk, color=colour, label=name)
    axes.set_xlabel("% of all texts answered, the most confident first")
    axes.set_ylabel("% of the answers wrong")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return tidy(figure)


def reliability(outcomes: Outcomes, bins: int = 10) -> Figure:
    """Draw how often answers of each confidence were right; on the diagonal it can be believed."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(outcomes.confidence, edges) - 1, 0, bins - 1)
    filled = [number for number in range(bins) if (place == number).any()]
    heights = [outcomes.right[place == number].mean() for number in filled]
    bars = axes.bar((edges[:-1] + 0.5 / bins)[filled], heights, width=0.9 / bins, color=TEAL)
    axes.bar_label(bars, [f"{(place == number).sum()}" for number in filled], fontsize=8)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    axes.set_xlabel("confidence (the number of texts stands above)")
    axes.set_ylabel("share right")
    return tidy(figure)


def bands(outcomes: Outcomes, thresholds: Thresholds) -> Figure:
    """Draw the confidences of right, wrong and out-of-scope texts, with the two thresholds."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    groups = {
        "right topic": (outcomes.right & outcomes.in_scope, TEAL),
        "another topic": (~outcomes.right & outcomes.in_scope, AMBER),
        "out of scope": (~outcomes.in_scope, RED),
    }
    axes.hist(
        [outcomes.confidence[rows] for rows, _ in groups.values()],
        bins=40,
        stacked=True,
        color=[colour for _, colour in groups.values()],
        label=list(groups),
    )
    for name, value in thresholds._asdict().items():
        axes.axvline(value, color="black", linewidth=1, linestyle="--")
        axes.text(value, 1.0, f" {name}", transform=axes.get_xaxis_transform(), fontsize=8)
    axes.set_xlabel("confidence in the best topic")
    axes.set_ylabel("texts")
    axes.legend(frameon=False)
    return tidy(figure)


def stealing(study: Study) -> Figure:
    """Draw which topics take questions from which, among the most confused ones."""
    pairs = study.confusions()
    total: dict[str, int] = {}
    for (own, other), count in pairs.items():
        total[own] = total.get(own, 0) + count
        total[other] = total.get(other, 0) + count
    names = sorted(sorted(total, key=lambda name: -total[name])[:_MOST_CONFUSED])
    table = np.array([[pairs[own, other] for other in names] for own in names])
    figure = Figure(figsize=(WIDTH, WIDTH * 0.86), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(table, cmap="BuGn")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xlabel("was ranked first")
    axes.set_ylabel("would have been right")
    figure.colorbar(image, ax=axes, label="examples", shrink=0.6)
    return figure


def rates(found: Sequence[Rate]) -> Figure:
    """Draw each rate with its interval, and the bar it has to keep."""
    figure = Figure(figsize=(WIDTH, 0.7 + 0.34 * len(found)), layout="constrained")
    axes = figure.subplots()
    for row, rate in enumerate(found):
        low, high = rate.interval
        axes.plot([100 * low, 100 * high], [row, row], color=GREY, linewidth=2)
        axes.plot(100 * rate.share, row, "o", color=TEAL if rate.kept else RED)
        bar = rate.at_least if rate.at_least is not None else rate.at_most
        if bar is not None:
            axes.plot(100 * bar, row, "|", color="black", markersize=14)
    axes.set_yticks(range(len(found)), [rate.name for rate in found], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(-2, 102)
    axes.set_xlabel("%, with the 95 % interval; the upright stroke is the bar, red misses it")
    return tidy(figure)


def tidy(figure: Figure) -> Figure:
    """Return the figure without the frame's upper and right edges."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure
