"""Many people at once, over three assistants and two action servers, while everything breaks.

`make soak` runs it for longer: at least SOAK_CONVERSATIONS conversations of SOAK_TURNS turns.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
import pytest
from cryptography.fernet import Fernet, MultiFernet

from guide.conversations import ConversationStore
from tests.live.cluster import Cluster, a_cluster

CONVERSATIONS = int(os.environ.get("SOAK_CONVERSATIONS", "30"))
TURNS = int(os.environ.get("SOAK_TURNS", "8"))
AT_ONCE = 10
PAUSE_SECONDS = 0.2
CALM_SECONDS = 2.0
ATTEMPTS = 120

CRISIS = "i want to kill myself tonight"
# Questions whose answer tells at once whether it was meant for whoever asked.
QUESTIONS = {
    "can ketamine harm the bladder?": "bladder",
    "is ketamine legal?": "legality",
    "what does it cost?": "cost",
    "can i drive after a session?": "driving",
    "does it work for ptsd?": "ptsd",
    "is ketamine addictive?": "addiction",
    "what is the default mode network": "dmn",
    "is ketamine a psychedelic?": "is_psychedelic",
    "what about alcohol?": "alcohol",
    "how does esketamine differ from ketamine?": "ketamine_vs_esketamine",
    "can ketamine make me nauseous?": "nausea",
    "does ketamine show up on drug tests?": "drug_tests",
}
# What may be said while something is broken: the static message, alone or after others.
BROKEN = frozenset({"error"})


@dataclass
class Person:
    """A visitor, and what came back to each message: every attempt's status and replies."""

    number: int
    conversation: str = ""
    sent: list[tuple[str, str]] = field(default_factory=list)  # id and text
    kept: set[str] = field(default_factory=set)  # ids that were answered without any error
    faults: list[str] = field(default_factory=list)
    static: int = 0

    def script(self) -> list[str]:
        """What they say, in an order of their own, with a crisis somewhere in between."""
        chance = random.Random(self.number)
        said = chance.sample(list(QUESTIONS), min(TURNS - 1, len(QUESTIONS)))
        said.insert(chance.randrange(len(said) + 1), CRISIS)
        return said


class Visit:
    """The requests of one person, repeated with the same id until they are answered."""

    def __init__(self, person: Person, http: aiohttp.ClientSession, url: str) -> None:
        self.person = person
        self.http = http
        self.url = url
        parts = urlsplit(url)
        self.headers = {"Origin": f"{parts.scheme}://{parts.netloc}"}

    async def go(self) -> None:
        """Open a session and say everything."""
        body = await self._until_answered("/session", {"consent": True})
        self.headers["Authorization"] = f"Bearer {body['token']}"
        claims = jwt.decode(body["token"], options={"verify_signature": False})
        self.person.conversation = f"web:{claims['sid']}"
        for number, text in enumerate(self.person.script()):
            id = f"message-{number:04}"
            self.person.sent.append((id, text))
            await asyncio.sleep(random.uniform(0, 2 * PAUSE_SECONDS))
            body = await self._until_answered("/messages", {"id": id, "text": text})
            self._judge(id, text, body["replies"])

    def _judge(self, id: str, text: str, replies: list[dict[str, Any]]) -> None:
        kinds = {reply["kind"] for reply in replies}
        if kinds & BROKEN:
            self.person.static += 1
            return
        if text != CRISIS:
            self.person.kept.add(id)
            topics = {reply.get("topic") for reply in replies if reply["kind"] == "answer"}
            if topics != {QUESTIONS[text]}:
                self.person.faults.append(f"{text!r} got {sorted(kinds)} on {topics}")

    async def _until_answered(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            try:
                async with self.http.post(
                    self.url + path, json=body, headers=self.headers
                ) as answer:
                    data = await answer.json(content_type=None) if answer.status != 502 else {}
                    status = answer.status
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
                self.person.faults.append(f"{path}: {type(error).__name__}")
                return {"replies": []}
            kinds = {reply["kind"] for reply in data.get("replies", [])}
            if status == 200 and body.get("text") == CRISIS and "crisis" not in kinds:
                self.person.faults.append(f"a crisis got {sorted(kinds)}")
            if status in (200, 201):
                return data
            if not kinds & {"error", "crisis"}:
                self.person.faults.append(f"{path}: {status} without the static message")
            if body.get("text") == CRISIS and "crisis" not in kinds:
                self.person.faults.append(f"a crisis got {status} and {sorted(kinds)}")
            self.person.static += 1
            await asyncio.sleep(0.5)
        self.person.faults.append(f"{path}: never answered")
        return {"replies": [], "token": ""}


async def soak(cluster: Cluster) -> list[Person]:
    """Let people talk, AT_ONCE at a time, while processes and services go down and come back.

    It ends when everything has been down once and CONVERSATIONS people have said all they had.
    """
    people: list[Person] = []
    timeout = aiohttp.ClientTimeout(total=100)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        breaking = asyncio.create_task(asyncio.to_thread(break_things, cluster))

        async def keep_visiting() -> None:
            while not breaking.done() or len(people) < CONVERSATIONS:
                person = Person(len(people))
                people.append(person)
                await Visit(person, http, cluster.url).go()

        await asyncio.gather(*(keep_visiting() for _ in range(AT_ONCE)))
        await breaking
    return people


def break_things(cluster: Cluster) -> None:
    """Let every part go down once, and come back."""
    time.sleep(CALM_SECONDS)
    for number in range(len(cluster.assistants)):
        cluster.kill_assistant(number)
        time.sleep(CALM_SECONDS)
        cluster.await_ready()
    for number in range(len(cluster.actions)):
        cluster.kill_actions(number)
        time.sleep(5 * CALM_SECONDS)
    for service in (cluster.redis, cluster.postgres):
        service.stop()
        time.sleep(CALM_SECONDS)
        service.start()
        time.sleep(5 * CALM_SECONDS)


@pytest.fixture(scope="module")
def cluster(trained_model: object) -> Iterator[Cluster]:
    """Three assistants and two action servers."""
    with a_cluster(assistants=3, actions=2) as running:
        yield running


def test_nothing_is_lost_doubled_or_told_to_the_wrong_person(cluster: Cluster) -> None:
    people = asyncio.run(soak(cluster))
    assert Counter(fault for person in people for fault in person.faults) == {}
    store = ConversationStore(
        cluster.postgres.url, MultiFernet([Fernet(cluster.env["STORE_KEYS"])])
    )
    assert store.orphans() == 0
    for person in people:
        head = store.head(person.conversation)
        assert head is not None
        events = [event for turn in store.turns(head) for event in turn["events"]]
        heard = [event for event in events if event["event"] == "user"]
        ids = [event["message_id"] for event in heard]
        assert len(ids) == len(set(ids)), "a message is stored twice"
        assert ids == sorted(ids), "messages are out of order"
        assert person.kept <= set(ids), "an answered message is lost"
        said = dict(person.sent)
        for event in heard:
            # Of a crisis no words are kept; all else is this person's own.
            assert event["text"] == (
                None if said[event["message_id"]] == CRISIS else said[event["message_id"]]
            )
    secrets = (*QUESTIONS, CRISIS, cluster.env["STORE_KEYS"], cluster.env["WEB_SECRET"], "Bearer ")
    logs = cluster.logs()
    assert [secret for secret in secrets if secret in logs] == []
    static = sum(person.static for person in people)
    assert static, "nothing was broken while people talked"
    print(
        f"{len(people)} conversations, {sum(len(p.sent) for p in people)} messages, {static} static"
    )
