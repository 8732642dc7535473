"""Writes what `make evaluate` found: figures.json, figures.md and report.html under results/.

The report quotes nothing of the evaluation data: misses are told by file and line number.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from markupsafe import Markup
from matplotlib.figure import Figure

from evaluation.page import render
from evaluation.safety import Rate
from guide.plots import svg

TEMPLATE = Path(__file__).with_name("report.html")
FIGURES = "figures.json"


class Section(NamedTuple):
    """A part of the report."""

    title: str
    note: str
    rates: Sequence[Rate] = ()
    pictures: Sequence[tuple[str, Figure]] = ()
    lines: Sequence[str] = ()


class Moved(NamedTuple):
    """A figure that is not what it was."""

    name: str
    before: float
    now: float


def stored(results: Path) -> Optional[dict[str, Any]]:
    """Return the figures of the last run, or None when there was none."""
    path = results / FIGURES
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def figures(rates: Sequence[Rate], day: str) -> dict[str, Any]:
    """Return the rates as plain JSON data; `day` is an ISO date."""
    return {
        "day": day,
        "rates": {
            rate.name.strip(): {
                "hits": rate.hits,
                "lines": rate.lines,
                "share": rate.share,
                "interval": list(rate.interval),
                "at_least": rate.at_least,
                "at_most": rate.at_most,
                "kept": rate.kept,
            }
            for rate in rates
        },
    }


def moved(before: Optional[Mapping[str, Any]], now: Mapping[str, Any]) -> list[Moved]:
    """Return the figures that both runs have and that differ, the largest move first."""
    old = (before or {"rates": {}})["rates"]
    both = [
        Moved(name, old[name]["share"], rate["share"])
        for name, rate in now["rates"].items()
        if name in old and old[name]["share"] != rate["share"]
    ]
    return sorted(both, key=lambda move: -abs(move.now - move.before))


def markdown(sections: Sequence[Section], moves: Sequence[Moved], now: Mapping[str, Any]) -> str:
    """Return the figures as Markdown tables."""
    lines = [f"# Evaluation of {now['day']}"]
    for section in sections:
        lines += ["", f"## {section.title}", "", section.note]
        if section.rates:
            lines += ["", "| what | figure | 95 % interval | bar |", "|---|---|---|---|"]
            lines += [_row(rate) for rate in section.rates]
        if section.lines:
            lines += ["", *(f"- {line}" for line in section.lines)]
    lines += ["", "## Moved since the last run", ""]
    lines += [f"- {m.name}: {m.before:.1%} → {m.now:.1%}" for m in moves] or ["Nothing."]
    return "\n".join(lines) + "\n"


def _row(rate: Rate) -> str:
    low, high = rate.interval
    bar = ""
    if rate.at_least is not None:
        bar = f"at least {rate.at_least:.1%}"
    elif rate.at_most is not None:
        bar = f"at most {rate.at_most:.1%}"
    missed = "" if rate.kept else ", **missed**"
    return (
        f"| {rate.name.strip()} | {rate.hits} of {rate.lines} ({rate.share:.1%}) "
        f"| {low:.1%} to {high:.1%} | {bar}{missed} |"
    )


def write(results: Path, sections: Sequence[Section], day: str) -> list[Moved]:
    """Write the three files and return what moved since the last run."""
    results.mkdir(exist_ok=True)
    before = stored(results)
    now = figures([rate for section in sections for rate in section.rates], day)
    moves = moved(before, now)
    (results / FIGURES).write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    (results / "figures.md").write_text(markdown(sections, moves, now), encoding="utf-8")
    page = render(
        TEMPLATE,
        day=day,
        sections=[
            section._replace(pictures=[(name, _drawn(p)) for name, p in section.pictures])
            for section in sections
        ],
        moves=moves,
        compared=(before or {}).get("day"),
    )
    (results / "report.html").write_text(page, encoding="utf-8")
    return moves


def _drawn(figure: Figure) -> Any:
    return Markup(svg(figure))  # noqa: S704 (matplotlib escapes its texts)
