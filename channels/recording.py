"""What a turn leaves behind: counts, and a line where a question found no good answer.

All of it comes after the replies. The conversation is looked at in a task of its own, and the
database is written to by a thread of its own, so a slow or broken one delays no turn.
"""

import asyncio
import atexit
import logging
import queue
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any, Callable, Coroutine, List, Mapping, Optional, Sequence, Set, Tuple

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.events import BotUttered, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from guide.answer import topic_of
from guide.feedback import Feedback
from guide.gaps import (
    CLARIFY,
    COMPLAINT,
    HELPFUL,
    LINE_KINDS,
    PICKED,
    UNANSWERED,
    UNHELPFUL,
    GapLine,
    GapStore,
)
from guide.reply import Reply

logger = logging.getLogger(__name__)

# Words may be kept only where the safety gate says so: no verdict is none of these.
HARMLESS = frozenset({"none", "boundary"})
# Replies that never follow a question without an answer.
ANSWERED = frozenset({"answer", "detail", "sources", "smalltalk", "boundary", "disclosure"})

WAITING_JOBS = 1000
LAST_SECONDS = 3.0


@dataclass
class Said:
    """What a person said in one turn, and what came back."""

    message_id: Optional[str]
    text: str
    typed: bool
    intent: Optional[str]
    level: Optional[str]
    topics: List[str] = field(default_factory=list)
    offered: Tuple[str, ...] = ()


class Recorder:
    """Records the turns of one channel."""

    def __init__(self, store: GapStore) -> None:
        self._store = store
        self._jobs = Jobs()
        self._looking: Set[asyncio.Task[None]] = set()

    def turn(self, agent: Agent, message: UserMessage, replies: Sequence[Reply]) -> None:
        """Record a turn. Returns at once and never raises."""
        self._count(counted(replies))
        typed = not (message.metadata or {}).get("button")
        if typed and {reply.kind for reply in replies} <= ANSWERED:
            return
        if not typed and topic_of(message.text or "") is None:
            return
        self._start(self._after_turn(agent, message, replies))

    def feedback(self, agent: Agent, conversation: str, feedback: Feedback) -> None:
        """Record a judgement of an answer. Returns at once and never raises."""
        self._count({(HELPFUL if feedback.helpful else UNHELPFUL, feedback.topic): 1})
        if not feedback.helpful:
            self._start(self._after_feedback(agent, conversation, feedback.topic))

    async def drain(self) -> None:
        """Wait until everything recorded so far is written, at most some seconds."""
        if self._looking:
            await asyncio.wait(self._looking, timeout=LAST_SECONDS)
        await asyncio.to_thread(self._jobs.drain, LAST_SECONDS)

    async def _after_turn(
        self, agent: Agent, message: UserMessage, replies: Sequence[Reply]
    ) -> None:
        said = session(await agent.tracker_store.retrieve(message.sender_id))
        places = [place for place, one in enumerate(said) if one.message_id == message.message_id]
        if not places:
            return
        said = said[: places[0] + 1]
        *earlier, now = said
        if now.level not in HARMLESS:
            # What led up to it may have been part of it.
            texts = [one.text for one in earlier if one.typed]
            self._write(self._store.withdraw, yesterday(), LINE_KINDS, texts)
            return
        if not now.typed:
            picked = topic_of(now.text)
            if earlier and picked in earlier[-1].offered:
                self._count({(PICKED, picked): 1})
                self._write(self._store.withdraw, yesterday(), [CLARIFY], [earlier[-1].text])
            return
        if not all(one.level in HARMLESS for one in earlier):
            return
        kinds = {reply.kind for reply in replies}
        if now.intent == "complaint":
            topic = next((key for one in reversed(earlier) for key in one.topics), None)
            asked = next((one.text for one in reversed(earlier) if one.typed), "")
            self._count({(COMPLAINT, topic or ""): 1})
            self._add(COMPLAINT, asked, topic)
        elif now.offered:
            self._add(CLARIFY, now.text, offered=now.offered)
        # The safety gate reads English: of other languages nobody knows whether they are harmless.
        elif "unknown" in kinds and now.intent != "other_language":
            self._add(UNANSWERED, now.text)

    async def _after_feedback(self, agent: Agent, conversation: str, topic: str) -> None:
        said = session(await agent.tracker_store.retrieve(conversation))
        if all(one.level in HARMLESS for one in said):
            asked = next((one for one in reversed(said) if topic in one.topics), None)
            self._add(UNHELPFUL, asked.text if asked and asked.typed else "", topic)

    def _add(
        self, kind: str, text: str, topic: Optional[str] = None, offered: Tuple[str, ...] = ()
    ) -> None:
        self._write(self._store.add, GapLine(date.today(), kind, text, topic, offered))

    def _count(self, numbers: Mapping[Tuple[str, str], int]) -> None:
        self._write(self._store.count, date.today(), numbers)

    def _write(self, method: Callable[..., Any], *arguments: Any) -> None:
        self._jobs.put(partial(method, *arguments))

    def _start(self, look: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(_quietly(look))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)


async def _quietly(look: Coroutine[Any, Any, None]) -> None:
    try:
        await look
    except Exception as error:
        # The type alone: a message could quote what the person wrote.
        logger.error("a turn could not be recorded: %s", type(error).__name__)


def counted(replies: Sequence[Reply]) -> Mapping[Tuple[str, str], int]:
    """Return how often each kind of reply came, with its topic or category."""
    return Counter(
        (
            "control" if reply.kind == "clarify" and not _offered(reply) else reply.kind,
            reply.topic or reply.category or "",
        )
        for reply in replies
    )


def session(tracker: Optional[DialogueStateTracker]) -> List[Said]:
    """Return what was said in the conversation's latest session, oldest first."""
    said: List[Said] = []
    for event in tracker.events if tracker else []:
        if isinstance(event, SessionStarted):
            said = []
        elif isinstance(event, UserUttered):
            said.append(_said(event))
        elif isinstance(event, BotUttered) and said:
            reply = Reply.from_message({**event.metadata, **event.data, "text": event.text or "-"})
            if reply.kind == "answer" and reply.topic:
                said[-1].topics.append(reply.topic)
            if reply.kind == "clarify":
                said[-1].offered = _offered(reply)
    return said


def _said(event: UserUttered) -> Said:
    parsed = event.parse_data or {}
    return Said(
        message_id=event.message_id,
        text=event.text or "",
        typed=not (event.metadata or {}).get("button"),
        intent=(parsed.get("intent") or {}).get("name"),
        level=(parsed.get("safety") or {}).get("level"),
    )


def _offered(reply: Reply) -> Tuple[str, ...]:
    topics = (topic_of(button.payload) for button in reply.buttons)
    return tuple(topic for topic in topics if topic)


def yesterday() -> date:
    """Return the first day that a session now under way may have begun on."""
    return date.today() - timedelta(days=1)


class Jobs:
    """Does jobs one after another in a thread of its own; too many waiting ones are dropped."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Callable[[], Any]] = queue.Queue(WAITING_JOBS)
        self._thread: Optional[threading.Thread] = None

    def put(self, job: Callable[[], Any]) -> None:
        """Add a job. Returns at once and never raises."""
        if self._thread is None:
            # Begun with the first job: a thread does not survive the fork of a worker. Being a
            # daemon, it does not hold the process up; it gets some seconds for what is waiting.
            self._thread = threading.Thread(target=self._work, name="recording", daemon=True)
            self._thread.start()
            atexit.register(self.drain, LAST_SECONDS)
        try:
            self._waiting.put_nowait(job)
        except queue.Full:
            logger.error("too much is waiting to be recorded; a record is lost")

    def drain(self, seconds: float) -> None:
        """Wait until the jobs added so far are done, at most so many seconds."""
        if self._thread is not None:
            done = threading.Event()
            with suppress(queue.Full):
                self._waiting.put(done.set, timeout=seconds)
                done.wait(seconds)

    def _work(self) -> None:
        while True:
            job = self._waiting.get()
            try:
                job()
            except Exception as error:
                # The type alone: a database quotes the values that it could not write.
                logger.error("recording failed with %s", type(error).__name__)
