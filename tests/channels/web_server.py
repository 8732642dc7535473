"""The website channel on a real server, over an agent that the test controls."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import aiohttp
from rasa.core.channels.channel import UserMessage
from rasa.core.run import configure_app
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, SlotSet, UserUttered
from sanic import Sanic

from channels.web import WebChannel
from channels.web_pages import Pages
from channels.web_settings import WebSettings
from guide.clinic import Clinic
from guide.paths import CONTENT, FAQ
from guide.topics import TopicLibrary
from stores.lock_store import GuideLockStore
from stores.tracker_store import GuideTrackerStore

SETTINGS = WebSettings(secret=b"s" * 32, origins=frozenset({"https://clinic.example"}))
PATH = "/webhooks/web"
DOMAIN = Domain.from_yaml("slots: {country: {type: text, mappings: [{type: custom}]}}")

ANSWER = {
    "text": "It can.\n\nAsk your clinician.",
    "kind": "answer",
    "topic": "bladder",
    "title": "Can ketamine harm the bladder?",
    "buttons": [{"title": "Tell me more", "payload": "/tell_more"}],
}
CRISIS = {"text": "Please call or text 988.", "kind": "crisis", "category": "suicide"}
TEXTS = {
    "utter_disclosure": {"text": "I am a program.", "kind": "disclosure"},
    "utter_help_is_there": {"text": "Help is still there.", "kind": "check_in"},
    "utter_too_long": {"text": "That is too long. Call or text 988.", "kind": "control"},
}


class FakeAgent:
    """Answers every message with `messages` and keeps the conversation, as Rasa's agent does.

    `error` is raised by every turn, `pause` are the seconds a turn takes, `level` is what the
    safety gate would say to any text, `intent` how it would be understood.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = [ANSWER]
        self.error: Exception | None = None
        self.pause = 0.0
        self.level: str | None = "none"
        self.intent = "faq"
        self.country: str | None = None
        self.ready = True
        self.received: list[UserMessage] = []
        self.tracker_store: Any = GuideTrackerStore(DOMAIN)
        self.lock_store: Any = GuideLockStore()
        self.action_endpoint: Any = None
        self.texts = dict(TEXTS)
        self.nlg = SimpleNamespace(generate=self._generate)

    def is_ready(self) -> bool:
        return self.ready

    async def parse_message(self, text: str) -> dict[str, Any]:
        return {"safety": {"level": self.level}}

    async def handle_message(self, message: UserMessage) -> None:
        async with self.lock_store.lock(message.sender_id):
            self.received.append(message)
            await asyncio.sleep(self.pause)
            tracker = await self.tracker_store.get_or_create_tracker(message.sender_id)
            button = (message.metadata or {}).get("button")
            understood = {
                "intent": {"name": self.intent},
                "entities": [],
                "safety": {"level": "none" if button else self.level},
            }
            tracker.update(
                UserUttered(
                    message.text,
                    parse_data=understood,
                    message_id=message.message_id,
                    metadata=message.metadata,
                )
            )
            if self.country:
                tracker.update(SlotSet("country", self.country))
            await self._say(tracker, message.output_channel, self.messages)
            if self.error:
                raise self.error

    async def _generate(self, response: str, tracker: Any, channel: str) -> dict[str, Any]:
        if self.error:
            raise self.error
        return dict(self.texts[response])

    async def _say(self, tracker: Any, channel: Any, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            await channel.send_response(tracker.sender_id, dict(message))
            data = {"buttons": message["buttons"]} if "buttons" in message else {}
            metadata = {k: v for k, v in message.items() if k not in ("text", "buttons")}
            tracker.update(BotUttered(message["text"], data, metadata))
        await self.tracker_store.save(tracker)


class Visitor:
    """A browser on a page of `origin`, with one session."""

    def __init__(self, url: str, http: aiohttp.ClientSession, origin: str | None) -> None:
        self.url = url
        self.http = http
        self.headers: dict[str, str] = {"Origin": origin} if origin else {}
        self.opened: dict[str, Any] = {}
        self.count = 0

    async def call(self, method: str, path: str, **given: Any) -> tuple[int, Any]:
        """Return status and parsed body of a request; headers given come on top."""
        headers = {**self.headers, **given.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        async with self.http.request(method, self.url + path, headers=headers, **given) as answer:
            body = await answer.read()
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            is_json = answer.content_type == "application/json"
            self.latest = answer
            return answer.status, await answer.json() if is_json else body

    async def open(self) -> "Visitor":
        status, self.opened = await self.call("POST", "/session", json={"consent": True})
        assert status == 201, self.opened
        self.headers["Authorization"] = f"Bearer {self.opened['token']}"
        return self

    async def send(self, id: str | None = None, **message: str) -> tuple[int, Any]:
        """Send `text=` or `button=`."""
        self.count += 1
        body = {"id": id or f"message-{self.count:04}", **message}
        return await self.call("POST", "/messages", json=body)

    async def texts(self) -> list[str]:
        """Return the history as plain lines."""
        status, body = await self.call("GET", "/history")
        assert status == 200, body
        return [
            m["text"] if m["from"] == "person" else m["reply"]["text"] for m in body["messages"]
        ]


class WebServer(SimpleNamespace):
    """A running channel and its parts."""

    app: Any

    channel: WebChannel
    agent: FakeAgent
    url: str
    port: int
    http: aiohttp.ClientSession
    gaps: Any

    def visitor(self, origin: str | None = "") -> Visitor:
        """Return a visitor on our own page, or on a page of another origin (None: no browser)."""
        own = f"http://127.0.0.1:{self.port}"
        return Visitor(self.url, self.http, own if origin == "" else origin)


@lru_cache(maxsize=1)
def content() -> tuple[Clinic, TopicLibrary, Pages]:
    """Return the content of this checkout, read once."""
    clinic = Clinic.load(CONTENT)
    return clinic, TopicLibrary.load(FAQ, CONTENT / "sources.yml"), Pages(clinic)


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[WebServer]:
    """Run the channel in an app as Rasa makes it, its own CORS handling included."""
    Sanic._app_registry.clear()
    Sanic.test_mode = True
    channel = WebChannel(replace(SETTINGS, **settings), *content())
    app = configure_app([channel], enable_api=False)
    agent = FakeAgent()
    app.ctx.agent = agent
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = await app.create_server(sock=listening, return_asyncio_server=True)
    await server.startup()
    await server.before_start()
    await server.start_serving()
    url = f"http://127.0.0.1:{port}{PATH}"
    async with aiohttp.ClientSession() as http:
        yield WebServer(app=app, channel=channel, agent=agent, url=url, port=port, http=http)
    await server.before_stop()
    server.close()
    await server.wait_closed()
