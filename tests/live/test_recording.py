"""What real questions leave, over the website channel with the trained model."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from guide.gaps import GapLine, GapStore
from guide.servers import Running, running

PATIENCE_SECONDS = 30


class Visitor:
    """A person with a chat of their own."""

    def __init__(self, up: Running) -> None:
        self.url = f"{up.assistant.url}/webhooks/web"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Origin"] = up.assistant.url
        opened = self.http.post(f"{self.url}/session", json={"consent": True}, timeout=60).json()
        self.http.headers["Authorization"] = f"Bearer {opened['token']}"
        self.count = 0

    def send(self, **message: str) -> list[dict[str, Any]]:
        """Send `text=` or `button=`; return the replies."""
        self.count += 1
        body = {"id": f"message-{self.count:04}", **message}
        answer = self.http.post(f"{self.url}/messages", json=body, timeout=60)
        assert answer.ok, answer.text
        return list(answer.json()["replies"])


@pytest.fixture
def store(tmp_path: Path) -> GapStore:
    """The gap store that the servers write to."""
    return GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)


@pytest.fixture
def up(
    store: GapStore, trained_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    """Servers of this test, whose folder it can look into."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with running(kept=True) as both:
        yield both


def left(store: GapStore, number: int) -> list[GapLine]:
    """Return the lines, once there are so many, or when patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(store.lines(date.min)) < number and time.monotonic() < deadline:
        time.sleep(0.2)
    return store.lines(date.min)


def test_a_question_without_an_answer_leaves_a_line_and_a_crisis_none(
    up: Running, store: GapStore
) -> None:
    visitor = Visitor(up)
    replies = visitor.send(text="my name is Jo Miller, may i bring my parrot to the infusion room")
    assert replies[-1]["kind"] in ("unknown", "clarify")
    [line] = left(store, 1)
    assert "parrot" in line.text
    assert "Miller" not in line.text
    other = Visitor(up)
    assert other.send(text="i want to kill myself")[0]["kind"] == "crisis"
    other.send(text="may i bring my parrot to the infusion room")
    answer = visitor.send(text="can ketamine hurt my bladder?")[-1]
    visitor.send(button=answer["feedback"][1]["id"])
    lines = left(store, 2)
    assert [(one.kind, one.topic) for one in lines[1:]] == [("unhelpful", "bladder")]
    counts = {(c.kind, c.subject): c.number for c in store.counts(date.min)}
    assert counts[("crisis", "suicide")] == 1
    assert counts[("unhelpful", "bladder")] == 1
