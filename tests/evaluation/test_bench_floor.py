"""The floor, live: it trains, answers over rest in both ways, and is measured."""

import asyncio
from pathlib import Path

import pytest

from evaluation.bench import projects, turns
from evaluation.bench.assistants import ANSWER, CRISIS, FALLBACK, floor, kinds_of, prepare


def test_the_floor_trains_and_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "FOLDER", tmp_path)
    contestant = floor()
    assert contestant.model.is_file()
    assert floor().model == contestant.model  # what is trained already is not trained again
    rounds: list[None] = []
    with contestant.start() as up:
        ready = asyncio.run(prepare(contestant, up))
        assert set(ready.texts) == {ANSWER, CRISIS, FALLBACK}
        found = asyncio.run(turns.measure([ready], 3, lambda: rounds.append(None)))
    assert len(rounds) == 3
    assert {row["kind"]: row["messages"] for row in found["rows"]} == dict.fromkeys(ready.texts, 3)
    assert all(0 < row["median"] <= row["p95"] for row in found["rows"])
    assert found["ratios"] == {}


@pytest.mark.parametrize(
    ("replies", "kinds"),
    [
        ([], set()),
        ([{"text": "hello"}], {"plain"}),
        ([{"text": "hello"}, {"custom": {"kind": "action"}}], {"action"}),
        ([{"kind": "disclosure"}, {"kind": "answer"}], {"disclosure", "answer"}),
    ],
)
def test_the_kind_of_a_turn_is_told_by_its_replies(
    replies: list[dict[str, object]], kinds: set[str]
) -> None:
    assert kinds_of(replies) == kinds


def test_the_default_is_what_rasa_suggests() -> None:
    config = projects.default_config(epochs=3)
    epochs = [p["epochs"] for p in [*config["pipeline"], *config["policies"]] if "epochs" in p]
    assert epochs == [3, 3, 3, 3]  # DIET, the response selector, UnexpecTED and TED
    assert 100 in [part.get("epochs") for part in projects.default_config(None)["pipeline"]]


def test_the_stories_follow_the_rules() -> None:
    stories = projects.default_stories()["stories"]
    assert len(stories) == projects.STORIES
    for story in stories:
        kinds = [next(iter(step)) for step in story["steps"]]
        assert kinds == ["intent", "action"] * projects.STORY_TURNS
    assert projects.default_stories() == projects.default_stories()
