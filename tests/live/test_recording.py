"""What real questions leave, over the website channel with the trained model."""

import time
from datetime import date
from typing import Any

import requests

from guide.gaps import GapLine, gap_store
from guide.servers import Running

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


def left(known: int, more: int) -> list[GapLine]:
    """Return the lines after the first `known`, once there are `more`, or when patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        lines = gap_store().lines(date.min)[known:]
        if len(lines) >= more:
            return lines
        time.sleep(0.2)
    return gap_store().lines(date.min)[known:]


def test_a_question_without_an_answer_leaves_a_line_and_a_crisis_none(up: Running) -> None:
    known = len(gap_store().lines(date.min))
    visitor = Visitor(up)
    replies = visitor.send(text="my name is Jo Miller, may i bring my parrot to the infusion room")
    assert replies[-1]["kind"] in ("unknown", "clarify")
    [line] = left(known, 1)
    assert "parrot" in line.text
    assert "Miller" not in line.text
    other = Visitor(up)
    assert other.send(text="i want to kill myself")[0]["kind"] == "crisis"
    other.send(text="may i bring my parrot to the infusion room")
    answer = visitor.send(text="can ketamine hurt my bladder?")[-1]
    visitor.send(button=answer["feedback"][1]["id"])
    lines = left(known, 2)
    assert [(one.kind, one.topic) for one in lines[1:]] == [("unhelpful", "bladder")]
    counts = {(c.kind, c.subject): c.number for c in gap_store().counts(date.min)}
    assert counts[("crisis", "suicide")] >= 1
    assert counts[("unhelpful", "bladder")] >= 1
