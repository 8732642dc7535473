"""Real logs of a session full of secrets, in which everything fails, hold none of them."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from guide.servers import HOST, Assistant, Server, environment, free_port

SECRETS = [
    "my name is Quixandra Zyle",
    "write to quixandra@secret.example",
    '/greet{"patient": "Quixandra"}',
    "/ my ssn is 078-05-1120",
    "/nothing{broken",
    "can ketamine hurt Quixandra's bladder?",
    "i want to kill myself, says Quixandra",
    "what does it cost? call 555-867-5309",
    "tell me more, Quixandra asks",
]
WORDS = ["Quixandra", "078-05-1120", "867-5309", "bladder", "kill myself", "web-secret-web-secret"]


class FailingActions(BaseHTTPRequestHandler):
    """Fails as rasa-sdk does: with the whole conversation in its answer."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        body = json.dumps({"error": "it failed", "action_name": "x", "request_body": asked})
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def failing_actions() -> Iterator[int]:
    """The port of an action server that fails."""
    server = ThreadingHTTPServer((HOST, 0), FailingActions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.mark.parametrize("level", ["--debug", "--verbose"])
def test_nothing_that_was_said_is_in_a_log(
    level: str, failing_actions: int, tmp_path: Path, trained_model: Path
) -> None:
    env = environment(failing_actions)
    del env["PYTHONWARNINGS"]  # warnings too
    env |= {
        "DATA_DIR": str(tmp_path / "data"),
        "WEB_SECRET": "web-secret-" * 4,
        "OMP_NUM_THREADS": "1",
    }
    port = free_port()
    server = Server(
        "assistant",
        [
            *("rasa", "run", "--model", str(trained_model), "--interface", HOST, level),
            *("--port", str(port), "--endpoints", "endpoints.yml"),
        ],
        env,
        tmp_path / "assistant.log",
    )
    try:
        assistant = Assistant(f"http://{HOST}:{port}")
        _await_ready(assistant, server)
        start = server.log.read_text().count("\n")
        for text in SECRETS:
            assert assistant.send("quixandra", text).replies
        with closing(sqlite3.connect(tmp_path / "data" / "conversations.db")) as database:
            database.execute("DROP TABLE turns")
        for text in SECRETS:
            assert assistant.send("quixandra", text).replies
        web = f"{assistant.url}/webhooks/web"
        requests.post(f"{web}/session", data="{broken Quixandra", timeout=10)
        requests.post(f"{assistant.url}/webhooks/rest/webhook", data="Quixandra", timeout=10)
    finally:
        server.stop()
    lines = server.log.read_text().splitlines()[start:]
    said = "\n".join(lines)
    assert not [word for word in WORDS if word.lower() in said.lower()]
    records = [json.loads(line) for line in lines]
    assert all({"time", "level", "logger", "event"} <= set(record) for record in records)
    # The failures are there all the same, with their kind and place.
    assert any("exception" in record for record in records)
    assert any("a turn failed with" in record["event"] for record in records)


def _await_ready(assistant: Assistant, server: Server) -> None:
    threading.Event().wait(1)
    for _ in range(600):
        server.require_alive()
        try:
            if assistant.ready():
                return
        except requests.RequestException:
            pass
        threading.Event().wait(0.3)
    raise AssertionError(server.log.read_text()[-2000:])
