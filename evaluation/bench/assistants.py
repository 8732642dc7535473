"""The assistants that are measured side by side: how each starts, and what each is asked."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import requests
import yaml

from evaluation.bench.projects import (
    FOLDER,
    default_model,
    floor_model,
    rasas_environment,
    with_default_dependencies,
)
from evaluation.load import CRISES, questions
from evaluation.safety import training_examples
from evaluation.visitors import RestVisitor
from guide.content import load_yaml
from guide.paths import MODEL, ROOT
from guide.servers import (
    FIRST_QUESTION,
    HOST,
    START_SECONDS,
    Server,
    ServerError,
    free_port,
    running,
)

ANSWER, CRISIS, FALLBACK = KINDS = ("answer", "crisis", "fallback")
"""Kinds of turn. An answer and a fallback run a custom action; a crisis reply is plain."""

UNRELATED = (
    "what is the capital of france",
    "will it rain tomorrow",
    "who won the match last night",
    "play some jazz",
    "how many planets are there",
    "recommend me a laptop",
    "what time does the train to boston leave",
    "how do i bake sourdough bread",
    "fix my wifi",
    "translate cat into spanish",
    "is the museum open on sundays",
    "the square root of 144",
    "best pizza near the station",
    "who wrote hamlet",
    "set a timer for ten minutes",
    "how tall is mount everest",
)
TEXTS = 8
"""Texts of each kind, said in turn."""
TRIED = 80

# The limits of the website's channel would end a measurement; everything else as it comes.
_CHANNELS = {
    "channels.rest.RestChannel": None,
    "channels.web.WebChannel": {
        "session_messages": "1000000/minute",
        "address_messages": "1000000/minute",
        "address_sessions": "1000000/minute",
    },
}


@dataclass(frozen=True)
class Up:
    """A running assistant."""

    name: str
    url: str
    rasa: Server
    actions: Server


@dataclass(frozen=True)
class Contestant:
    """An assistant that can be started.

    Attributes:
        name: in tables.
        model: its trained model.
        start: starts both its servers, waits for the first answer, and ends them at exit.
        candidates: for each kind of turn, texts that may lead to it.
        marks: for each kind of turn, the kind of reply that shows it.
    """

    name: str
    model: Path
    start: Callable[[], AbstractContextManager[Up]]
    candidates: Mapping[str, Sequence[str]]
    marks: Mapping[str, str]


@dataclass(frozen=True)
class Ready:
    """A running assistant, with texts that are known to lead to each kind of turn."""

    up: Up
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)


def floor() -> Contestant:
    """Return the floor: Rasa that only echoes, with a plain reply or a custom action."""
    model = floor_model()
    return Contestant(
        "floor",
        model,
        lambda: _stock("floor", model, "action hello", {}),
        {
            ANSWER: [f"action {text}" for text in questions()[:TEXTS]],
            CRISIS: [f"plain {text}" for text in questions()[:TEXTS]],
            FALLBACK: [f"action {text}" for text in UNRELATED],
        },
        {ANSWER: "action", CRISIS: "plain", FALLBACK: "action"},
    )


def default(epochs: int) -> Contestant:
    """Return Rasa's default assistant, trained on our data, with its own choice of dependencies."""
    model = default_model(epochs)
    return Contestant(
        "default",
        model,
        lambda: _stock("default", model, FIRST_QUESTION, with_default_dependencies({})),
        _our_texts(),
        {ANSWER: "answer", CRISIS: "plain", FALLBACK: "unknown"},
    )


def ours(name: str = "ours", stores: bool = True, light: bool = False) -> Contestant:
    """Return ours as shipped, or with conversations in memory as Rasa has them, or light."""
    return Contestant(
        name,
        MODEL,
        lambda: _ours(name, stores, light),
        _our_texts(),
        {ANSWER: "answer", CRISIS: "crisis", FALLBACK: "unknown"},
    )


def kinds_of(replies: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the kinds of the replies to one message: of our contract, or as marked, or plain."""
    kinds = {reply.get("kind") or (reply.get("custom") or {}).get("kind") for reply in replies}
    return {kind for kind in kinds if kind} or ({"plain"} if replies else set())


async def prepare(contestant: Contestant, up: Up) -> Ready:
    """Try texts until there are enough of each kind; this also warms the assistant up.

    Raises:
        ServerError: no text leads to a kind.
    """
    chosen: dict[str, list[str]] = {}
    async with aiohttp.ClientSession() as http:
        visitor = RestVisitor(http, up.url, f"prepare-{uuid.uuid4().hex}")
        for kind in KINDS:
            chosen[kind] = []
            for text in contestant.candidates[kind][:TRIED]:
                await visitor.begin()
                if contestant.marks[kind] in kinds_of((await visitor.say(text)).replies):
                    chosen[kind].append(text)
                if len(chosen[kind]) == TEXTS:
                    break
            if not chosen[kind]:
                raise ServerError(f"the assistant {up.name} gives nobody the turn {kind}")
    return Ready(up, chosen)


def _our_texts() -> dict[str, list[str]]:
    texts, labels = training_examples()
    told = [text for text, label in zip(texts, labels, strict=True) if label.startswith("crisis/")]
    return {
        ANSWER: questions(),
        CRISIS: [*CRISES, *told],
        # What a barely trained classifier falls back on cannot be told beforehand; so words that
        # nobody knows are tried as well.
        FALLBACK: [*UNRELATED, *(f"{word} {word[::-1]}" for word in " ".join(UNRELATED).split())],
    }


@contextmanager
def _ours(name: str, stores: bool, light: bool) -> Iterator[Up]:
    endpoints = load_yaml(ROOT / "endpoints.yml")
    if not stores:
        del endpoints["tracker_store"]
    with TemporaryDirectory() as folder:
        files = {"credentials": _CHANNELS, "endpoints": endpoints}
        paths = _written(Path(folder), files)
        with running(
            credentials=paths["credentials"], endpoints=paths["endpoints"], light=light
        ) as both:
            yield Up(name, both.assistant.url, both.rasa, both.actions)


@contextmanager
def _stock(name: str, model: Path, first: str, more: Mapping[str, str]) -> Iterator[Up]:
    """Run an assistant with what Rasa itself brings: its rest channel, its stores in memory.

    Args:
        name: of the assistant.
        model: its trained model.
        first: a text that a custom action answers.
        more: added to the environment of both servers.
    """
    port, action_port = free_port(), free_port()
    env = {**rasas_environment(action_port), **more}
    url = f"http://{HOST}:{port}"
    files = {
        "credentials": {"rest": None},
        "endpoints": {"action_endpoint": {"url": f"http://{HOST}:{action_port}/webhook"}},
    }
    started: list[Server] = []
    with TemporaryDirectory() as folder:
        paths = _written(Path(folder), files)

        def start(what: str, *command: str) -> Server:
            log = FOLDER / "logs" / f"{name}-{what}.log"
            started.append(Server(f"{what} of {name}", list(command), env, log))
            return started[-1]

        try:
            actions = start(
                *("actions", "rasa_sdk", "--actions", "evaluation.bench.trivial_actions"),
                *("--port", str(action_port)),
            )
            rasa = start(
                *("assistant", "rasa", "run", "--model", str(model)),
                *("--interface", HOST, "--port", str(port)),
                *(part for key, path in paths.items() for part in (f"--{key}", str(path))),
            )
            _await_answer(url, first, started)
            yield Up(name, url, rasa, actions)
        finally:
            for server in reversed(started):
                server.stop()


def _written(folder: Path, files: Mapping[str, Any]) -> dict[str, Path]:
    paths = {name: folder / f"{name}.yml" for name in files}
    for name, path in paths.items():
        path.write_text(yaml.safe_dump(files[name]), encoding="utf-8")
    return paths


def _await_answer(url: str, text: str, servers: Sequence[Server]) -> None:
    """Wait until a text gets any answer, as `guide.servers.running` waits for ours."""
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as http:
        http.trust_env = False  # loopback never goes through a proxy
        while time.monotonic() < deadline:
            for server in servers:
                server.require_alive()
            body = {"sender": f"start-up-{uuid.uuid4().hex}", "message": text}
            try:
                if http.post(f"{url}/webhooks/rest/webhook", json=body, timeout=60).json():
                    return
            except (requests.RequestException, ValueError):
                pass
            time.sleep(0.3)
    raise ServerError(f"no answer from {url} within {START_SECONDS:.0f} s")
