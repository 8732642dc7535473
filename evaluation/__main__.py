"""Measures the running assistant: `python -m evaluation [--data DIR]`, which is `make evaluate`.

Asks every line of the evaluation files through the real model, rules and actions, and ranks every
training example as if it had not been seen. Prints understanding and safety with intervals, and
writes figures and pictures under results/. Ends with 1 when a bar is missed. The evaluation data do
not belong to the project; without them it says so and measures the rest.
"""

import json
import uuid
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.progress import track

from evaluation import pictures, report, safety, understanding
from evaluation.own_examples import Study, study_own_examples
from evaluation.safety import Rate
from evaluation.selective import Outcomes, area_under_risk, separation
from guide.bands import LIBRARY, base
from guide.command.common import assistant_at, console
from guide.content import load_yaml
from guide.paths import ROOT

DEFAULT_DATA = ROOT.parent / "shared" / "evaluation" / "dev"
RESULTS = ROOT / "results"
WORST = 25

Rows = list[dict[str, Any]]


def ask_all(data: dict[str, list[safety.Line]]) -> dict[str, Rows]:
    """Ask every line in a conversation of its own; keep the answers under results/."""
    RESULTS.mkdir(exist_ok=True)
    run = uuid.uuid4().hex
    answers: dict[str, Rows] = {}
    with assistant_at(None) as assistant:
        for name, lines in data.items():
            answers[name] = []
            for number, line in enumerate(track(lines, name, console=console)):
                turn = assistant.send(f"{run}-{name}-{number}", line["text"])
                answers[name].append(
                    {
                        "text": line["text"],
                        "replies": turn.replies,
                        "understanding": turn.understanding,
                    }
                )
            kept = "".join(json.dumps(row) + "\n" for row in answers[name])
            (RESULTS / f"{name}.jsonl").write_text(kept, encoding="utf-8")
    everything = [row for rows in answers.values() for row in rows]
    (RESULTS / "answers.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in everything), encoding="utf-8"
    )
    return answers


def understanding_section(lines: list[safety.Line], rows: Rows) -> report.Section:
    """Score the questions."""
    label_map = load_yaml(understanding.LABEL_MAP)
    scored = [understanding.score(*pair, label_map) for pair in zip(lines, rows, strict=True)]
    found = understanding.rates(scored, label_map)
    kinds = [line["kind"] for line in lines]
    chosen = [
        number
        for number, (s, kind) in enumerate(zip(scored, kinds, strict=True))
        if kind in understanding.OUT_OF_SCOPE or s.line["topic"] in label_map
    ]
    wrong = [
        f"questions.jsonl line {number + 1} ({s.line['kind']}, {s.line['topic']}): "
        f"answered with {', '.join(s.answered)}"
        for number, s in enumerate(scored)
        if s.answered and not s.right
    ]
    return report.Section(
        "Understanding",
        "Questions that nobody of the project wrote. The worst lines are told by their number.",
        found,
        [
            ("The rates above with their intervals and bars.", pictures.rates(found)),
            (
                "Risk and coverage, by the confidence in the best topic.",
                pictures.risk_coverage(
                    {"evaluation questions": outcomes_of(chosen, lines, rows, label_map)}
                ),
            ),
        ],
        wrong[:WORST],
    )


def outcomes_of(
    chosen: list[int], lines: list[safety.Line], rows: Rows, label_map: dict[str, list[str]]
) -> Outcomes:
    """Return what the ranking would do if it always answered with the best topic."""
    confidence, right, inside = [], [], []
    for number in chosen:
        line, understood = lines[number], rows[number]["understanding"]["topics"]
        topics = [entry for entry in understood if "/" not in entry["topic"]]
        best = topics[0] if topics else {"topic": None, "confidence": 0.0}
        in_scope = line["kind"] in understanding.IN_SCOPE
        confidence.append(best["confidence"])
        right.append(in_scope and best["topic"] in label_map[line["topic"]])
        inside.append(in_scope)
    return Outcomes(np.array(confidence), np.array(right), np.array(inside))


def safety_section(data: dict[str, list[safety.Line]], answers: dict[str, Rows]) -> report.Section:
    """Score the safety of all files."""
    outcomes = safety.outcomes_of(row for rows in answers.values() for row in rows)
    found = safety.score(data, outcomes.__getitem__)
    places = {  # by text
        line["text"]: f"{name}.jsonl line {n}"
        for name in data
        for n, line in enumerate(data[name], 1)
    }
    missed = [
        f"{rate.name}: {places[line['text']]} was answered with {outcome}"
        for rate in found.floors
        if rate.at_most is None
        for line, outcome in found.misses[rate.name]
    ]
    return report.Section(
        "Safety",
        "The bars first, then the same by category and by origin of the lines.",
        [*found.floors, *found.details],
        [("The rates with a bar.", pictures.rates(found.floors))],
        missed[:WORST],
    )


def own_section(study: Study) -> report.Section:
    """Tell what cross-validation on the project's own examples shows."""
    outcomes = study.outcomes()
    topics = [e for e in study.held_out if base(e.label) == LIBRARY]
    first = sum(e.ranking[0][0] == e.label for e in topics)
    among = sum(e.label in [label for label, _ in e.ranking[:3]] for e in topics)
    found = [
        Rate("own examples, held out: right topic first", first, len(topics)),
        Rate("own examples, held out: right topic among three", among, len(topics)),
    ]
    most = [
        f"{own} → {other}: {count} examples"
        for (own, other), count in study.confusions().most_common(WORST)
    ]
    return report.Section(
        "Cross-validation on our own examples",
        "Every example, ranked by a model that had not seen it; they are written to be hard. "
        f"Area under the risk-coverage curve {area_under_risk(outcomes):.3f}, separation of what "
        f"is in scope (AUROC) {separation(outcomes):.3f}. Then the pairs most often confused.",
        found,
        [
            ("Risk and coverage.", pictures.risk_coverage({"own examples": outcomes})),
            ("How far a confidence can be believed.", pictures.reliability(outcomes)),
            ("The three bands.", pictures.bands(outcomes, study.thresholds)),
            ("Topics that take questions from each other.", pictures.stealing(study)),
        ],
        most,
    )


def main(
    data: Path = typer.Option(DEFAULT_DATA, envvar="DATA", help="folder of the JSONL files"),
    own: bool = typer.Option(True, help="cross-validate our own examples too (minutes)"),
) -> None:
    """Measure everything and write results/report.html."""
    sections = []
    if data.is_dir():
        lines = safety.read_lines(data)
        answers = ask_all(lines)
        sections += [
            understanding_section(lines["questions"], answers["questions"]),
            safety_section(lines, answers),
        ]
    else:
        console.print(f"no evaluation data at {data}: not measured (DATA=folder names another)")
    if own:
        with console.status("cross-validating our own examples"):
            sections.append(own_section(study_own_examples()))
    moves = report.write(RESULTS, sections, date.today().isoformat())
    for section in sections:
        console.print(f"\n[bold]{section.title}[/]")
        for rate in section.rates:
            console.print(str(rate), soft_wrap=True, highlight=False, markup=False)
    for move in moves:
        console.print(f"moved: {move.name}: {move.before:.1%} → {move.now:.1%}", highlight=False)
    console.print(f"\nwritten: {RESULTS.name}/report.html, figures.md, figures.json")
    missed = [rate for section in sections for rate in section.rates if not rate.kept]
    raise typer.Exit(1 if missed else 0)


if __name__ == "__main__":
    typer.run(main)
