"""The runner of written conversations finds what is wrong; a fake assistant plays its part."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from guide.content import ContentError
from guide.dialogues import Exchange, load_dialogues, play
from guide.servers import Assistant, Turn

ANSWER = {
    "kind": "answer",
    "topic": "bladder",
    "text": "It can harm the bladder.",
    "buttons": [{"title": "Tell me more", "payload": "/tell_more"}],
}
CRISIS = {"kind": "crisis", "category": "suicide", "text": "Please call or text 988."}
DISCLOSURE = {"kind": "disclosure", "text": "I am a program."}


class ScriptedAssistant(Assistant):
    """Answers with the given replies, turn by turn, and keeps what it was told, and by whom."""

    def __init__(self, *turns: list[dict[str, Any]]) -> None:
        super().__init__("http://nowhere")
        self.turns = list(turns)
        self.told: list[Mapping[str, Any]] = []

    def _post(self, body: Mapping[str, Any]) -> Turn:
        self.told.append(body)
        return Turn(self.turns.pop(0), {})


def written(tmp_path: Path, steps: str, name: str = "a talk") -> Path:
    path = tmp_path / "talk.yml"
    path.write_text(f"dialogues:\n- name: {name}\n  steps:\n{steps}", encoding="utf-8")
    return path


def played(tmp_path: Path, assistant: Assistant, steps: str) -> list[Exchange]:
    [dialogue] = load_dialogues(written(tmp_path, steps))
    return play(dialogue, assistant)


def test_a_conversation_that_goes_as_written_has_nothing_wrong(tmp_path: Path) -> None:
    assistant = ScriptedAssistant(
        [DISCLOSURE, ANSWER], [{"kind": "detail", "topic": "bladder", "text": "Figures."}]
    )
    exchanges = played(
        tmp_path,
        assistant,
        """
  - me: can it hurt my bladder?
    kind: [answer, disclosure]
    topic: bladder
    says: BLADDER
    never_says: [promise, 988]
    buttons: Tell me more
  - press: Tell me more
    kind: detail
    not_kind: [crisis, unknown]
    not_topic: liver
""",
    )
    assert [exchange.wrong for exchange in exchanges] == [(), ()]
    assert [exchange.said for exchange in exchanges] == [
        "can it hurt my bladder?",
        "[Tell me more]",
    ]
    assert assistant.told[0]["message"] == "can it hurt my bladder?"
    assert assistant.told[1]["payload"] == "/tell_more"
    assert len({told["sender"] for told in assistant.told}) == 1


@pytest.mark.parametrize(
    ("expectation", "wrong"),
    [
        ("kind: unknown", "kind should be ['unknown'], is ['answer']"),
        ("kind: [answer, check_in]", "kind should be ['answer', 'check_in'], is ['answer']"),
        ("not_kind: [answer, crisis]", "kind must not be ['answer']"),
        ("topic: [bladder, liver]", "topic should be ['bladder', 'liver'], is ['bladder']"),
        ("not_topic: bladder", "topic must not be ['bladder']"),
        ("category: suicide", "category should be ['suicide'], is []"),
        ("buttons: Talk to a person", "buttons should offer ['Talk to a person'], offer"),
        ("says: [bladder, kidney]", "should say “kidney”"),
        ("never_says: Harm", "must not say “Harm”"),
    ],
)
def test_each_broken_expectation_is_told(tmp_path: Path, expectation: str, wrong: str) -> None:
    steps = f"  - me: can it hurt my bladder?\n    {expectation}\n"
    [exchange] = played(tmp_path, ScriptedAssistant([ANSWER]), steps)
    [told] = exchange.wrong
    assert told.startswith(wrong)


def test_everything_wrong_with_a_turn_is_told_at_once(tmp_path: Path) -> None:
    steps = "  - me: help\n    kind: crisis\n    says: 988\n    category: suicide\n"
    [exchange] = played(tmp_path, ScriptedAssistant([ANSWER]), steps)
    assert len(exchange.wrong) == 3


def test_the_category_of_a_crisis_is_compared(tmp_path: Path) -> None:
    steps = "  - me: help\n    kind: crisis\n    category: suicide\n    says: 988\n"
    [exchange] = played(tmp_path, ScriptedAssistant([CRISIS]), steps)
    assert exchange.wrong == ()


def test_silence_meets_no_expectation(tmp_path: Path) -> None:
    [exchange] = played(tmp_path, ScriptedAssistant([]), "  - me: hello\n    kind: smalltalk\n")
    assert exchange.wrong == ("kind should be ['smalltalk'], is []",)


def test_a_conversation_ends_at_the_first_turn_that_went_wrong(tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ANSWER], [ANSWER])
    steps = "  - me: hello\n    kind: smalltalk\n  - me: is it addictive?\n"
    assert len(played(tmp_path, assistant, steps)) == 1
    assert len(assistant.told) == 1


def test_a_button_that_was_not_offered_cannot_be_pressed(tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ANSWER])
    exchanges = played(tmp_path, assistant, "  - me: bladder?\n  - press: Say it simpler\n")
    assert exchanges[-1].said == "[Say it simpler]"
    assert exchanges[-1].wrong == ("no button “Say it simpler” was offered, only ['Tell me more']",)
    assert len(assistant.told) == 1


def test_a_button_of_an_earlier_turn_is_gone(tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ANSWER], [CRISIS])
    steps = "  - me: bladder?\n  - me: i want to die\n  - press: Tell me more\n"
    assert "was offered, only []" in played(tmp_path, assistant, steps)[-1].wrong[0]


def test_each_dialogue_is_a_conversation_of_its_own(tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ANSWER], [ANSWER])
    [dialogue] = load_dialogues(written(tmp_path, "  - me: bladder?\n"))
    play(dialogue, assistant)
    play(dialogue, assistant)
    assert assistant.told[0]["sender"] != assistant.told[1]["sender"]


@pytest.mark.parametrize(
    ("steps", "place", "problem"),
    [
        ("  - me: hello\n    knid: answer\n", "a talk, step 1", "unknown keys ['knid']"),
        ("  - me: hello\n  - says: bladder\n", "a talk, step 2", "needs one of me, press"),
        ("  - me: hello\n    press: Tell me more\n", "a talk, step 1", "needs one of me, press"),
        ("  - me: hello\n    kind: answer\n    kind: crisis\n", "line", "stands twice"),
        ("  - me: [unclosed\n", "line", "correct the YAML"),
    ],
)
def test_a_damaged_file_names_file_place_and_problem(
    tmp_path: Path, steps: str, place: str, problem: str
) -> None:
    with pytest.raises(ContentError) as error:
        load_dialogues(written(tmp_path, steps))
    assert "talk.yml" in str(error.value)
    assert place in str(error.value)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [("dialogues:\n- name: a talk\n", "a talk.steps"), ("talks: []\n", "dialogues")],
)
def test_a_file_without_dialogues_or_steps_is_told(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "talk.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=f"talk.yml: {place}: is missing"):
        load_dialogues(path)
