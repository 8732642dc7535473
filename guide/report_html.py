"""A report as one HTML file that needs nothing else: style and plots are inside."""

from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from guide import report_text
from guide.plots import svg
from guide.report import Rates, Report, Row

TEMPLATE = Path(__file__).with_name("report.html")
MOST_TOPICS = 15
MOST_GAPS = 15

_COLOURS = {"answered": "#1d5c58", "clarified": "#e0a63a", "unanswered": "#b3442f"}
_NAMES = {"answered": "answered", "clarified": "topics offered", "unanswered": "no answer"}
_WIDTH = 8.4  # inches


def render_html(report: Report, clinic: str) -> str:
    """Return the page; `clinic` is the clinic's name."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    for name in ("number", "total", "percent", "week", "when"):
        environment.filters[name] = getattr(report_text, name)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        report=report,
        clinic=clinic,
        most_topics=MOST_TOPICS,
        most_gaps=MOST_GAPS,
        rates_plot=_rates_plot([report_text.week(week) for week in report.weeks], report),
        topics_plot=_topics_plot([row for row in report.topics if row.shown][:MOST_TOPICS]),
    )


def _rates_plot(weeks: Sequence[str], report: Report) -> Markup:
    """Draw what became of the questions, a bar a week."""
    figure = Figure(figsize=(_WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    below = [0.0] * len(weeks)
    for name, colour in _COLOURS.items():
        heights = [_percent(rates, name) for rates in report.weekly_rates]
        bars = axes.bar(weeks, heights, bottom=below, color=colour, label=_NAMES[name], width=0.7)
        axes.bar_label(
            bars,
            [f"{height:.0f}" if height >= 6 else "" for height in heights],
            label_type="center",
            color="black" if name == "clarified" else "white",
            fontsize=8,
        )
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.set_ylim(0, 100)
    axes.set_ylabel("% of questions")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncol=3, frameon=False)
    return Markup(svg(figure))  # noqa: S704 (matplotlib escapes its texts)


def _percent(rates: Rates, name: str) -> float:
    return 100 * (getattr(rates, name) or 0.0)


def _topics_plot(rows: Sequence[Row]) -> Markup:
    """Draw how often each topic was asked, most asked first."""
    figure = Figure(figsize=(_WIDTH, 0.6 + 0.27 * max(len(rows), 1)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(
        [row.name for row in rows], [row.shown for row in rows], color=_COLOURS["answered"]
    )
    axes.bar_label(bars, [report_text.total(row) for row in rows], padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([])
    return Markup(svg(figure))  # noqa: S704 (matplotlib escapes its texts)
