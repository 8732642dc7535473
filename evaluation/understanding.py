"""Measures what questions are answered with: `python -m evaluation.understanding --data DIR`.

The directory holds questions.jsonl. Every line is asked as a conversation of its own, through the
real model, rules and actions, or read from `--answers FILE`, which `kap-guide ask --json` wrote.
label_map.yml says which replies are right for each label of the data.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import typer
from rich.console import Console
from rich.progress import track

from evaluation.safety import Rate
from guide.command.common import assistant_at
from guide.content import load_yaml

LABEL_MAP = Path(__file__).with_name("label_map.yml")
IN_SCOPE = frozenset({"clinic_faq", "user_typed"})
OUT_OF_SCOPE = ("near_topic", "off_topic", "recreational")

Row = Mapping[str, Any]


class Scored(NamedTuple):
    """What became of one line."""

    line: Row
    answered: list[str]  # topics answered from the library
    right: bool  # one of the replies is right for the label
    offered: bool  # a topic that is right stands on a button


def score(line: Row, row: Row, label_map: Mapping[str, Sequence[str]]) -> Scored:
    """Scores the replies to a line; only lines in scope can be right."""
    fitting = frozenset(label_map.get(line["topic"], ())) if line["kind"] in IN_SCOPE else set()
    replies = row["replies"]
    answered = [reply["topic"] for reply in replies if reply["kind"] == "answer"]
    given = {*answered, row["understanding"].get("intent")}
    given |= {f"{reply['kind']}/{reply.get('category')}" for reply in replies}
    buttons = [
        button["payload"]
        for reply in replies
        if reply["kind"] in ("clarify", "answer")
        for button in reply.get("buttons", ())
    ]
    offered = any(f'"{topic}"' in payload for topic in fitting for payload in buttons)
    return Scored(line, answered, bool(fitting & given), offered)


def rates(scored: Sequence[Scored], label_map: Mapping[str, Sequence[str]]) -> list[Rate]:
    """Returns the shares that the assistant is held to."""

    def is_asked(s: Scored) -> bool:
        return s.line["kind"] in IN_SCOPE and s.line["topic"] in label_map

    asked = [s for s in scored if is_asked(s)]
    seed = [s for s in asked if s.line["in_seed"]]
    stray = [s for s in scored if s.line["kind"] in OUT_OF_SCOPE]

    def share(name: str, flags: Iterable[bool], **bounds: float) -> Rate:
        counted = list(flags)
        return Rate(name, sum(counted), len(counted), **bounds)

    def is_wrong(s: Scored) -> bool:
        return is_asked(s) and bool(s.answered) and not s.right

    return [
        share(
            "in the seed texts: right or offered",
            (s.right or s.offered for s in seed),
            at_least=0.85,
        ),
        share("in scope: right", (s.right for s in asked), at_least=0.90),
        share("in scope: right or offered", (s.right or s.offered for s in asked), at_least=0.96),
        share("all lines: answered with a wrong topic", map(is_wrong, scored), at_most=0.015),
        share(
            "out of scope: answered from the library",
            (bool(s.answered) for s in stray),
            at_most=0.03,
        ),
        *(
            share(f"  {kind}", (bool(s.answered) for s in stray if s.line["kind"] == kind))
            for kind in OUT_OF_SCOPE
        ),
    ]


def ask(lines: Sequence[Row], server: Optional[str]) -> list[Row]:
    """Asks every line in a conversation of its own."""
    rows: list[Row] = []
    with assistant_at(server) as assistant:
        for number, line in enumerate(track(lines, description="asking", transient=True)):
            turn = assistant.send(f"understanding-{number}", line["text"])
            rows.append({"replies": turn.replies, "understanding": turn.understanding})
    return rows


def main(
    data: Path = typer.Option(..., help="folder with questions.jsonl", exists=True),
    answers: Optional[Path] = typer.Option(None, help="what `kap-guide ask --json` wrote"),
    server: Optional[str] = typer.Option(None, help="address of a running assistant"),
    misses: bool = typer.Option(False, help="list the lines that count against it"),
) -> None:
    """Measure what questions are answered with."""
    console = Console(highlight=False)
    lines = [json.loads(line) for line in (data / "questions.jsonl").open(encoding="utf-8")]
    if answers:
        rows: list[Row] = [json.loads(row) for row in answers.open(encoding="utf-8")]
    else:
        rows = ask(lines, server)
    if len(rows) != len(lines):
        console.print(f"{answers}: has {len(rows)} lines, the questions have {len(lines)}")
        raise typer.Exit(2)
    label_map = load_yaml(LABEL_MAP)
    scored = [score(line, row, label_map) for line, row in zip(lines, rows, strict=True)]
    found = rates(scored, label_map)
    for rate in found:
        console.print(str(rate), soft_wrap=True)
    unscored = sum(s.line["kind"] in IN_SCOPE and s.line["topic"] not in label_map for s in scored)
    console.print(f"{unscored} lines in scope have a label that no topic answers and do not count.")
    if misses:
        for s in scored:
            in_scope = s.line["kind"] in IN_SCOPE
            if bool(s.answered) if not in_scope else not s.right:
                outcome = ", ".join(s.answered) or ("offered" if s.offered else "not answered")
                console.print(f"{s.line['topic']}: {s.line['text'][:80]!r} → {outcome}")
    raise typer.Exit(0 if all(rate.kept for rate in found) else 1)


if __name__ == "__main__":
    typer.run(main)
