"""The light mode, live: the same replies without TensorFlow in the process."""

from pathlib import Path

import pytest

from guide.servers import Assistant, running

TEXTS = (
    "is ketamine addictive?",
    "tell me more",
    "i want to die",
    "what dose should i take",
    "what is the capital of france",
    "hello",
)


def said(assistant: Assistant) -> list[list[tuple[str, str]]]:
    """Return kinds and texts of the replies to each text of one conversation."""
    turns = [assistant.send("light", text) for text in TEXTS]
    return [[(reply["kind"], reply["text"]) for reply in turn.replies] for turn in turns]


def test_the_light_mode_says_the_same(assistant: Assistant, trained_model: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("which libraries a process has loaded is read from Linux's /proc")
    with running(light=True) as both:
        assert said(both.assistant) == said(assistant)
        loaded = Path(f"/proc/{both.rasa.process.pid}/maps").read_text(encoding="utf-8")
    assert "onnxruntime" in loaded
    assert "tensorflow" not in loaded
