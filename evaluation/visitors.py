"""Visitors who talk to a running assistant over HTTP, each message timed."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import aiohttp

MESSAGES = 10
"""Messages of a conversation; then a visitor begins another."""


class Said(NamedTuple):
    """What came back for a message."""

    milliseconds: float
    ok: bool
    replies: list[dict[str, Any]]


class Visitor(Protocol):
    """Talks to one assistant, in one conversation at a time."""

    async def begin(self) -> None:
        """Begin a new conversation."""

    async def say(self, text: str) -> Said:
        """Send what a person types, and wait for the replies."""


class WebVisitor:
    """A visitor of the website's channel."""

    def __init__(self, http: aiohttp.ClientSession, origin: str) -> None:
        """Take the address of the assistant, without a path."""
        self._http = http
        self._url = f"{origin}/webhooks/web"
        self._origin = {"Origin": origin}
        self._headers: dict[str, str] = {}
        self._said = 0

    async def begin(self) -> None:
        opened = self._http.post(
            f"{self._url}/session", json={"consent": True}, headers=self._origin
        )
        async with opened as answer:
            token = (await answer.json())["token"]
        self._headers = {**self._origin, "Authorization": f"Bearer {token}"}
        self._said = 0

    async def say(self, text: str) -> Said:
        self._said += 1
        body = {"id": f"message-{self._said:04}", "text": text}
        said, data = await _timed(self._http, f"{self._url}/messages", body, self._headers)
        return said._replace(replies=data.get("replies", []))


class RestVisitor:
    """A visitor of a `rest` channel, ours or Rasa's own: both take and give the same."""

    def __init__(self, http: aiohttp.ClientSession, origin: str, name: str) -> None:
        """Take the address of the assistant, and a name that no other visitor has."""
        self._http = http
        self._url = f"{origin}/webhooks/rest/webhook"
        self._name = name
        self._begun = 0

    async def begin(self) -> None:
        self._begun += 1

    async def say(self, text: str) -> Said:
        body = {"sender": f"{self._name}-{self._begun}", "message": text}
        said, data = await _timed(self._http, self._url, body, {})
        return said._replace(replies=data)


async def _timed(
    http: aiohttp.ClientSession, url: str, body: dict[str, Any], headers: dict[str, str]
) -> tuple[Said, Any]:
    started = time.perf_counter()
    async with http.post(url, json=body, headers=headers) as answer:
        await answer.read()
        took = (time.perf_counter() - started) * 1000
        return Said(took, answer.status == 200, []), await answer.json()


async def talk(
    visitor: Visitor,
    next_text: Callable[[], str],
    until: float,
    heard: Callable[[Said], None],
) -> None:
    """Talk without pause, one conversation after another, until the time is over.

    Args:
        visitor: who talks.
        next_text: gives each text.
        until: of time.monotonic().
        heard: is told what came back.
    """
    while time.monotonic() < until:
        await visitor.begin()
        for _ in range(MESSAGES):
            if time.monotonic() >= until:
                break
            heard(await visitor.say(next_text()))
