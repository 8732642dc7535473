"""Writes what `make bench` found: bench.json, bench.md and bench.html under results/."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from evaluation.bench import machine
from evaluation.bench.bars import bars
from evaluation.bench.pictures import pictures
from evaluation.page import render
from guide.plots import svg

TEMPLATE = Path(__file__).with_name("report.html")

PARTS = {
    "turns": (
        "Turns",
        "Milliseconds over rest, and for ours over the website's channel as well; assistants, "
        "channels and kinds take turns, in an order drawn anew each round. A conversation has ten "
        "messages, the first of which begins a session.",
    ),
    "throughput": (
        "Throughput",
        "Over rest; visitors talk without pause, and their own work is done on the same cores. "
        "80 % answers, 15 % fallbacks, 5 % crises; a conversation has ten messages.",
    ),
    "start": (
        "Start, memory and model",
        "Each started alone, in turn; the clock runs from starting both processes to the first "
        "answer of a custom action. Memory after twenty answers is PSS; medians.",
    ),
    "growth": (
        "More topics",
        "Understanding one message (encoder, ranking, safety) with topics of invented words, "
        "25 examples each, beside our own small talk.",
    ),
    "length": (
        "Longer conversations",
        "One conversation of questions. A turn stands for five: the first ones, or those up to it.",
    ),
    "training": (
        "Training",
        "Whole processes on the same data, without cache; the default pipeline with its own 100 "
        "epochs, ended when it has taken many times as long (then there is no figure).",
    ),
}
"""Title and note of each part that can be measured, in the order of the report."""

HEADINGS = {
    "per_second": "messages/s",
    "median": "median, ms",
    "p95": "95 %, ms",
    "p99": "99 %, ms",
    "seconds": "seconds",
    "assistant_mb": "assistant, MB",
    "actions_mb": "action server, MB",
    "model_mb": "model, MB",
    "training_seconds": "training, s",
}


def result(
    parts: Mapping[str, Mapping[str, Any]], about: Mapping[str, Any], day: str, epochs: int
) -> dict[str, Any]:
    """Return a run as plain JSON data; `about` describes the machine, `day` is an ISO date."""
    return {
        "day": day,
        "machine": about,
        "epochs": epochs,
        "parts": parts,
        "bars": [{**bar._asdict(), "kept": bar.kept} for bar in bars(parts)],
    }


def write(results: Path, run: Mapping[str, Any]) -> None:
    """Write the three files."""
    results.mkdir(exist_ok=True)
    (results / "bench.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    (results / "bench.md").write_text(markdown(run), encoding="utf-8")
    (results / "bench.html").write_text(page(run), encoding="utf-8")


def markdown(run: Mapping[str, Any]) -> str:
    """Return a run as Markdown."""
    lines = [f"# Speed on {run['day']}", "", *_about(run), "", "## Bars", ""]
    lines += ["| what | figure | 95 % interval | bar |", "|---|---|---|---|"]
    for bar in bars(run["parts"]):
        between = f"{bar.interval[0]:.2f} to {bar.interval[1]:.2f}" if bar.interval else ""
        missed = "" if bar.kept else ", **missed**"
        lines.append(f"| {bar.name} | {bar.value:.2f} | {between} | {bar.limit}{missed} |")
    for title, note, head, rows, _ in _sections(run):
        lines += ["", f"## {title}", "", note, "", _row(head), _row(["---"] * len(head))]
        lines += map(_row, rows)
    return "\n".join(lines) + "\n"


def page(run: Mapping[str, Any]) -> str:
    """Return a run as one HTML page that needs nothing beside it."""
    return render(
        TEMPLATE,
        day=run["day"],
        about=_about(run),
        bars=bars(run["parts"]),
        sections=[
            (title, note, head, rows, [(caption, Markup(svg(drawn))) for caption, drawn in drawn_])  # noqa: S704
            for title, note, head, rows, drawn_ in _sections(run)
        ],
    )


def table(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return the headings and cells of rows; lists are not shown."""
    keys = [key for key, value in rows[0].items() if not isinstance(value, list)]
    cells = [["" if row[key] is None else str(row[key]) for key in keys] for row in rows]
    return [HEADINGS.get(key, key) for key in keys], cells


def _sections(run: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (title, note, *table(run["parts"][name]["rows"]), pictures(name, run["parts"][name]))
        for name, (title, note) in PARTS.items()
        if name in run["parts"]
    ]


def _about(run: Mapping[str, Any]) -> list[str]:
    told = [
        machine.sentence(run["machine"]),
        f"The default assistant's epochs of training: {run['epochs']}. Its speed does not "
        "depend on them; how well it understands is not measured here.",
    ]
    if not machine.is_quiet(run["machine"]):
        told.append("**The machine was busy with other work: look at ratios, not at times.**")
    return told


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
