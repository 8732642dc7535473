"""Starting the assistant and its action server on loopback, and talking to them."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from guide.credentials import merged
from guide.light import is_wanted
from guide.paths import MODEL, ROOT

HOST = "127.0.0.1"
START_SECONDS = 180.0
SHARED = frozenset({"DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE"})
"""What makes an assistant keep its conversations outside its own folder."""
FIRST_QUESTION = "Is ketamine a psychedelic?"


class ServerError(Exception):
    """The assistant cannot be started or does not answer. The message says what to do."""


@dataclass(frozen=True)
class Turn:
    """What came back for one message: replies and understanding, as plain JSON data."""

    replies: list[dict[str, Any]]
    understanding: dict[str, Any]


class Assistant:
    """A running assistant, reached through its development channel."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # loopback never goes through a proxy

    def ready(self) -> bool:
        """Return whether a model is loaded."""
        return self._session.get(f"{self.url}/webhooks/rest/", timeout=10).ok

    def send(self, sender: str, text: str) -> Turn:
        """Send what a person types.

        Raises:
            ServerError: the assistant cannot be reached or answers with an error.
        """
        return self._post({"sender": sender, "message": text})

    def press(self, sender: str, payload: str) -> Turn:
        """Press a button, by its payload. Raises as `send`."""
        return self._post({"sender": sender, "payload": payload})

    def _post(self, body: Mapping[str, Any]) -> Turn:
        try:
            answer = self._session.post(
                f"{self.url}/webhooks/rest/webhook", json={**body, "explain": True}, timeout=60
            )
            answer.raise_for_status()
            data = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ServerError(
                f"the assistant at {self.url} does not answer ({type(error).__name__}); "
                "is it running, with the channel of credentials.yml?"
            ) from error
        return Turn(data["replies"], data["understanding"])


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> None:
    """Check that `port` can be opened.

    Raises:
        ServerError: another program uses it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerError(
                f"port {port} is taken; end the program that uses it or choose another port, "
                f"for example PORT={port + 1} make run"
            ) from error


def environment(action_port: int, interface: str = HOST) -> dict[str, str]:
    """Return the environment of both servers: no telemetry, no look-ups outside, few threads.

    Args:
        action_port: where the action server listens, on ACTION_HOST (default: loopback).
        interface: the address that a server listens on.
    """
    return {
        "ACTION_HOST": HOST,
        # A turn multiplies small matrices: more threads would mostly wait for each other, and take
        # the cores from other turns.
        "OMP_NUM_THREADS": "1",
        **os.environ,
        "ACTION_PORT": str(action_port),
        "SANIC_HOST": interface,
        "RASA_TELEMETRY_ENABLED": "false",
        "HF_HUB_OFFLINE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": str(ROOT),
    }


def rasa_run(model: Path, interface: str, port: int, light: bool) -> list[str]:
    """Return the module and its arguments that serve a model; `light`: without TensorFlow."""
    return [
        *(("guide.light",) if light else ("rasa",)),
        *("run", "--model", str(model), "--interface", interface, "--port", str(port)),
    ]


class Server:
    """One server process; its output goes to a log file."""

    def __init__(self, name: str, arguments: list[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches the parent alone, which then ends both in order.
            self.process = subprocess.Popen(  # noqa: S603 (our own arguments)
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=dict(env),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self) -> bool:
        """Return whether the process has ended."""
        return self.process.poll() is not None

    def require_alive(self) -> None:
        """Raise ServerError with the end of the log if the process has ended."""
        if self.ended():
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            tail = "\n".join(lines[-12:])
            raise ServerError(f"the {self.name} has ended; its last lines:\n{tail}")

    def stop(self) -> None:
        """End the process, at first politely."""
        if not self.ended():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@dataclass(frozen=True)
class Running:
    """Both servers, answering."""

    assistant: Assistant
    actions: Server
    rasa: Server


@contextmanager
def running(
    port: int | None = None,
    model: Path = MODEL,
    report: Callable[[str], None] = lambda step: None,
    kept: bool = False,
    staff: Sequence[str] = (),
    credentials: Path = ROOT / "credentials.yml",
    endpoints: Path = ROOT / "endpoints.yml",
    light: bool | None = None,
) -> Iterator[Running]:
    """Start both servers on loopback, wait until a real question is answered, end them at exit.

    Args:
        port: the assistant's port; a free one when None.
        model: the trained model.
        report: is told each step in a few words.
        kept: whether conversations stay where the environment says, or go when the servers end.
        staff: the staff channels to serve too, as guide.credentials.wanted returns them.
        credentials: the other channels.
        endpoints: stores, locks and the like.
        light: whether TensorFlow is left out; as the environment says when None.

    Raises:
        ServerError: the model is missing, the port is taken, or a server does not come up.
    """
    if not model.is_file():
        raise ServerError(f"there is no model at {model.name}; run `make train`")
    if port is not None:
        require_free(port)
    port = port or free_port()
    action_port = free_port()
    env = environment(action_port)
    forgotten = None if kept else TemporaryDirectory(prefix="kap-guide-")
    if forgotten:
        env = {name: value for name, value in env.items() if name not in SHARED}
        env["DATA_DIR"] = forgotten.name
    logs = ROOT / "build" / "logs"
    report("starting the action server")
    actions = Server(
        "action server",
        ["rasa_sdk", "--actions", "actions", "--port", str(action_port)],
        env,
        logs / f"actions-{port}.log",
    )
    rasa: Server | None = None
    own = TemporaryDirectory(prefix="kap-guide-")
    channels = Path(own.name) / "credentials.yml"
    channels.write_text(merged(credentials, staff), encoding="utf-8")
    try:
        report("starting the assistant")
        rasa = Server(
            "assistant",
            [
                *rasa_run(model, HOST, port, is_wanted() if light is None else light),
                *("--endpoints", str(endpoints), "--credentials", str(channels)),
            ],
            env,
            logs / f"assistant-{port}.log",
        )
        assistant = Assistant(f"http://{HOST}:{port}")
        report("waiting for the first answer")
        _wait_for_answer(assistant, [actions, rasa])
        yield Running(assistant, actions, rasa)
    finally:
        if rasa is not None:
            rasa.stop()
        actions.stop()
        own.cleanup()
        if forgotten:
            forgotten.cleanup()


def _wait_for_answer(assistant: Assistant, servers: list[Server]) -> None:
    deadline = time.monotonic() + START_SECONDS
    asker = f"start-up-{uuid.uuid4().hex}"
    last = "no reply yet"
    while time.monotonic() < deadline:
        for server in servers:
            server.require_alive()
        try:
            replies = assistant.send(asker, FIRST_QUESTION).replies
        except ServerError as error:
            last = str(error)
        else:
            if any(reply["kind"] == "answer" for reply in replies):
                return
            if not assistant.ready():
                raise ServerError(f"the model could not be loaded; see {servers[-1].log}")
            last = f"it answered with {[reply['kind'] for reply in replies]}"
        time.sleep(0.3)
    raise ServerError(f"no answer to “{FIRST_QUESTION}” within {START_SECONDS:.0f} s: {last}")
