"""The scoring of replies to questions, on made-up questions and replies."""

from typing import Any

import pytest

from evaluation.understanding import LABEL_MAP, rates, score
from guide.content import load_yaml
from guide.paths import FAQ

MAP = {"bladder": ["bladder", "boundary/suitability"], "booking": ["booking", "talk_to_person"]}


def line(topic: str, kind: str = "clinic_faq", in_seed: bool = False) -> dict[str, Any]:
    """A question of the evaluation data."""
    return {"text": "...", "kind": kind, "topic": topic, "in_seed": in_seed}


def row(*replies: dict[str, Any], intent: str = "faq") -> dict[str, Any]:
    """What `kap-guide ask --json` writes for it."""
    return {"replies": list(replies), "understanding": {"intent": intent}}


def answer(topic: str) -> dict[str, Any]:
    """An answer from the library."""
    return {"kind": "answer", "topic": topic, "text": "..."}


def offer(*topics: str) -> dict[str, Any]:
    """A question back with topics on buttons."""
    buttons = [{"title": "...", "payload": f'/show_topic{{"topic": "{t}"}}'} for t in topics]
    return {"kind": "clarify", "text": "...", "buttons": buttons}


@pytest.mark.parametrize(
    ("asked", "replied", "right", "offered"),
    [
        (line("bladder"), row(answer("bladder")), True, False),
        (line("bladder"), row(answer("liver")), False, False),
        (line("bladder"), row(answer("liver"), answer("bladder")), True, False),
        (line("bladder"), row(offer("liver", "bladder")), False, True),
        (line("bladder"), row(offer("bladder_pain")), False, False),
        (
            line("bladder"),
            row({"kind": "boundary", "category": "suitability", "text": ""}),
            True,
            False,
        ),
        (
            line("booking"),
            row({"kind": "control", "text": ""}, intent="talk_to_person"),
            True,
            False,
        ),
        (line("bladder", kind="near_topic"), row(answer("bladder")), False, False),
        (line("unmapped"), row(answer("bladder")), False, False),
    ],
)
def test_a_reply_is_right_when_its_label_says_so(
    asked: dict[str, Any], replied: dict[str, Any], right: bool, offered: bool
) -> None:
    scored = score(asked, replied, MAP)
    assert (scored.right, scored.offered) == (right, offered)


def test_the_rates_count_each_line_where_it_belongs() -> None:
    scored = [
        score(line("bladder", in_seed=True), row(answer("bladder")), MAP),
        score(line("bladder"), row(answer("liver")), MAP),
        score(line("bladder"), row(offer("bladder")), MAP),
        score(line("unmapped"), row(answer("liver")), MAP),
        score(line("x", kind="near_topic"), row(answer("liver")), MAP),
        score(line("x", kind="off_topic"), row({"kind": "unknown", "text": ""}), MAP),
    ]
    found = [(rate.hits, rate.lines) for rate in rates(scored, MAP)]
    assert found == [(1, 1), (1, 3), (2, 3), (1, 6), (1, 2), (1, 1), (0, 1), (0, 0)]


def test_every_topic_of_the_label_map_exists() -> None:
    topics = {path.stem for path in FAQ.glob("*.yml")}
    for label, fitting in load_yaml(LABEL_MAP).items():
        named = [topic for topic in fitting if "/" not in topic and topic != "talk_to_person"]
        assert set(named) <= topics, label
