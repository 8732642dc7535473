"""Scores what questions are answered with.

label_map.yml says which replies are right for each label of the evaluation questions.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.safety import Rate

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
