"""Every dialogue of tests/dialogues, played through the real model, rules and actions."""

from collections.abc import Sequence

import pytest

from guide.dialogues import Dialogue, Exchange, load_dialogues, play
from guide.paths import ROOT
from guide.servers import Assistant

DIALOGUES = [
    dialogue
    for path in sorted((ROOT / "tests" / "dialogues").glob("*.yml"))
    for dialogue in load_dialogues(path)
]


def transcript(exchanges: Sequence[Exchange]) -> str:
    """Return the conversation as a reader sees it, with what was wrong where it went wrong."""
    lines = []
    for exchange in exchanges:
        lines.append(f"> {exchange.said}")
        for reply in exchange.replies:
            about = reply.get("topic") or reply.get("category")
            lines.append(f"  {reply['kind']}{f' ({about})' if about else ''}: {reply['text']}")
            buttons = ", ".join(button["title"] for button in reply.get("buttons", ()))
            lines += [f"    buttons: {buttons}"] if buttons else []
        lines += [f"  ✗ {wrong}" for wrong in exchange.wrong]
    return "\n".join(lines)


def as_parameter(dialogue: Dialogue) -> object:
    """Return the dialogue as a test; one with a known fault may fail, and says why."""
    known = [pytest.mark.xfail(reason=dialogue.fault, strict=False)] if dialogue.fault else []
    return pytest.param(dialogue, marks=known, id=f"{dialogue.path.stem}: {dialogue.name}")


@pytest.mark.parametrize("dialogue", map(as_parameter, DIALOGUES))
def test_a_dialogue_goes_as_written(assistant: Assistant, dialogue: Dialogue) -> None:
    exchanges = play(dialogue, assistant)
    if exchanges[-1].wrong:
        pytest.fail(transcript(exchanges), pytrace=False)


def test_a_file_names_each_of_its_dialogues_differently() -> None:
    names = [(dialogue.path.name, dialogue.name) for dialogue in DIALOGUES]
    assert sorted(names) == sorted(set(names))
