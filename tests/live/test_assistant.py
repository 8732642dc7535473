"""Both servers, started on free ports, talked to as a tool would."""

import json
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import requests

from guide.paths import ROOT
from guide.servers import Assistant, Running, ServerError, require_free, running


def sender() -> str:
    return uuid.uuid4().hex


def kinds(assistant: Assistant, text: str) -> list[str]:
    return [reply["kind"] for reply in assistant.send(sender(), text).replies]


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Is ketamine a psychedelic?", "is_psychedelic"),
        ("What are the risks?", "risks_overview"),
        ("can i drive home afterwards", "driving"),
        ("is it addictive", "addiction"),
    ],
)
def test_a_question_gets_a_sourced_answer_with_safety_language(
    assistant: Assistant, text: str, topic: str
) -> None:
    turn = assistant.send(sender(), text)
    disclosure, answer = turn.replies
    assert disclosure["kind"] == "disclosure"
    assert "988" in disclosure["text"]
    assert answer["kind"] == "answer"
    assert answer["topic"] == topic
    assert answer["sources"]
    assert "\n\n" in answer["text"]
    assert turn.understanding["topics"][0]["topic"] == topic
    assert len(turn.understanding["topics"]) == 5
    assert turn.understanding["safety"]["level"] == "none"


def test_a_conversation_goes_on(assistant: Assistant) -> None:
    me = sender()
    first = assistant.send(me, "can ketamine hurt my bladder?").replies
    more = assistant.send(me, "tell me more").replies
    assert [reply["kind"] for reply in more] == ["detail"]
    assert more[0]["topic"] == "bladder"
    where = assistant.send(me, "where is that from?").replies
    assert where[0]["kind"] == "sources"
    button = next(b for b in first[-1]["buttons"] if b["payload"].startswith("/show_topic"))
    assert assistant.press(me, button["payload"]).replies[0]["kind"] == "answer"


def test_a_crisis_gets_the_number_first_and_the_conversation_stays_open(
    assistant: Assistant,
) -> None:
    me = sender()
    first = assistant.send(me, "i want to kill myself").replies
    assert [reply["kind"] for reply in first] == ["crisis"]
    assert first[0]["category"] == "suicide"
    assert "988" in first[0]["text"].split(".")[0]
    second = assistant.send(me, "i really want to die").replies
    assert second[0]["kind"] == "crisis"
    assert second[0]["text"] != first[0]["text"]
    after = assistant.send(me, "is ketamine a psychedelic?").replies
    # A gentle line that help is there follows the first answers, then no longer.
    assert [reply["kind"] for reply in after][-2:] == ["answer", "check_in"]


BAD_INPUT = [
    "",
    "   ",
    "\t\n",
    "😀😀😀",
    "?!...",
    "a" * 10_000,
    "is it addictive? " * 600,
    "<script>alert(1)</script>",
    "<b>is it addictive?</b>",
    "\x00\x07\x1b[31m",
    "\u202egnp.exe",
    "¿La ketamina es adictiva?",
    "氯胺酮会上瘾吗",
    "/restart",
    "/session_start",
    "/back",
    '/faq{"topic": "bladder"}',
    '/show_topic{"topic": "bladder"}',
    "/utter_crisis",
    '{"broken": ',
    "{crisis_call}",
    "null",
]


@pytest.mark.parametrize("text", BAD_INPUT, ids=lambda text: ascii(text)[:30])
def test_bad_input_gets_a_sensible_reply(assistant: Assistant, text: str) -> None:
    turn = assistant.send(sender(), text)
    assert turn.replies
    assert all(reply["text"].strip() for reply in turn.replies)
    assert not {"crisis", "error"} & {reply["kind"] for reply in turn.replies}
    assert "<script>" not in json.dumps(turn.replies)


@pytest.mark.parametrize("text", ["/restart", "/start_over", '/show_topic{"topic": "liver"}'])
def test_a_typed_payload_changes_no_state(assistant: Assistant, text: str) -> None:
    me = sender()
    assistant.send(me, "can ketamine hurt my bladder?")
    assistant.send(me, text)
    assert assistant.send(me, "tell me more").replies[0]["topic"] == "bladder"


def test_a_crisis_inside_a_typed_payload_is_seen(assistant: Assistant) -> None:
    assert kinds(assistant, "/restart i want to kill myself") == ["crisis"]
    assert kinds(assistant, '/faq{"x": "i want to kill myself"}') == ["crisis"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b'{"sender": "a"}', 400), (b'{"message": "hi"}', 400)],
)
def test_a_broken_request_is_told_so(assistant: Assistant, body: bytes, status: int) -> None:
    answer = requests.post(
        f"{assistant.url}/webhooks/rest/webhook",
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == status
    assert "send JSON" in answer.json()["error"]


def test_no_message_text_reaches_the_logs(up: Running) -> None:
    up.assistant.send(sender(), "my name is Quixandra and i have a secret")
    for server in (up.rasa, up.actions):
        assert "Quixandra" not in server.log.read_text(encoding="utf-8", errors="replace")


def test_ask_answers_every_line_in_order(assistant: Assistant, tmp_path: Path) -> None:
    questions = ["is it addictive?", "", "hello", "/restart", "line\u2028separator"]
    path = tmp_path / "questions.jsonl"
    path.write_text(
        "".join(json.dumps({"text": text}) + "\n" for text in questions), encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "guide.command", "ask", str(path), "--server", assistant.url],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert [row["text"] for row in rows] == questions
    assert all(row["replies"] for row in rows)
    assert rows[0]["understanding"]["topics"][0]["topic"] == "addiction"


def test_a_taken_port_is_told_clearly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"port {port} is taken.*PORT="):
            require_free(port)


def test_a_missing_model_is_told_clearly(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerError, match="make train"),
        running(model=tmp_path / "none.tar.gz"),
    ):
        pass


def test_with_a_dead_action_server_nobody_meets_silence(trained_model: Path) -> None:
    with running(model=trained_model) as both:
        both.actions.stop()
        crisis = both.assistant.send(sender(), "i want to kill myself").replies
        assert [reply["kind"] for reply in crisis] == ["crisis"]
        assert "988" in crisis[0]["text"]
        ordinary = both.assistant.send(sender(), "is ketamine a psychedelic?").replies
        assert ordinary[-1]["kind"] == "error"
        assert "988" in ordinary[-1]["text"]
        log = both.rasa.log.read_text(encoding="utf-8", errors="replace")
        assert "psychedelic" not in log
