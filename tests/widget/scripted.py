"""The website channel over a scripted agent, in a thread of its own: every state of the widget.

The texts are the real ones; only understanding is replaced by a word in the message.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from rasa.core.channels.channel import UserMessage

from guide.answer import SOMETHING_ELSE, Composer, topic_button
from guide.clinic import fill
from guide.content import load_yaml
from guide.paths import CONTENT, DATA, FAQ
from guide.reply import Reply
from tests.channels.web_server import FakeAgent, WebServer, serving


class ScriptedAgent(FakeAgent):
    """Answers by a word of the message: bladder, risks, kill, slow, fail, say …; else it asks."""

    def __init__(self) -> None:
        super().__init__()
        self.composer = Composer.load(FAQ, CONTENT)
        values = self.composer.clinic.placeholders()
        safety = load_yaml(DATA / "safety" / "replies.yml")["responses"]
        text = safety["utter_crisis/suicide"][0]["text"]
        self.crisis = Reply("crisis", fill(" ".join(text.split()), values), category="suicide")
        about = load_yaml(DATA / "dialogue" / "about_me.yml")["responses"]["utter_disclosure"]
        disclosure = fill(" ".join(about[0]["text"].split()), values)
        self.texts["utter_disclosure"] = {"text": disclosure, "kind": "disclosure"}
        self.topic = "bladder"

    async def handle_message(self, message: UserMessage) -> None:
        text = message.text or ""
        self.error = RuntimeError("as asked") if "fail" in text else None
        self.pause = 2.0 if "slow" in text else 0.0
        self.messages = [] if self.error else [reply.as_dict() for reply in self.replies(text)]
        try:
            await super().handle_message(message)
        finally:
            self.error = None

    def replies(self, text: str) -> list[Reply]:
        """Return the replies to a text or a payload."""
        if text.startswith("/show_topic"):
            self.topic = json.loads(text.removeprefix("/show_topic"))["topic"]
            return [self.composer.answer(self.topic, 0)]
        if text == "/tell_more":
            return [self.composer.detail(self.topic)]
        if text.startswith("say "):
            return [Reply("smalltalk", text[4:])]
        if "kill" in text:
            return [self.crisis]
        for word, topic in (("bladder", "bladder"), ("risks", "risks_overview")):
            if word in text:
                self.topic = topic
                return [self.composer.answer(topic, 0)]
        topics = [topic_button(self.composer.library[key]) for key in ("bladder", "nausea")]
        return [Reply("clarify", "Which of these do you mean?", buttons=(*topics, SOMETHING_ELSE))]


class Scripted:
    """The running server: its address, and what was received."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.agent: Any = None
        self.page = ""
        self._channel: Any = None
        self._ready = threading.Event()
        self._stop = asyncio.Event()

    def run(self, **settings: Any) -> None:
        """Serve until `stop`; to be called in a thread."""
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve(**settings))

    async def _serve(self, **settings: Any) -> None:
        web: WebServer
        async with serving(**settings) as web:
            self.agent = ScriptedAgent()
            self._channel = web.channel
            web.app.ctx.agent = self.agent
            self.page = f"{web.url}/"
            self._ready.set()
            await self._stop.wait()

    def wait(self) -> "Scripted":
        """Return when the server answers."""
        assert self._ready.wait(60), "the scripted server did not start"
        return self

    def allow(self, origin: str) -> None:
        """Put a website on the list."""
        settings = self._channel.settings
        self._channel.settings = replace(settings, origins=settings.origins | {origin})

    def stop(self) -> None:
        """End the server."""
        self.loop.call_soon_threadsafe(self._stop.set)


@contextmanager
def scripted(**settings: Any) -> Iterator[Scripted]:
    """Run the server in a thread."""
    server = Scripted()
    thread = threading.Thread(target=server.run, kwargs=settings)
    thread.start()
    try:
        yield server.wait()
    finally:
        server.stop()
        thread.join()
