"""Where staff messages are taken up: accepted once, answered in order, delivered with patience.

A message goes through three states. Accepted: it is in the journal, so the service need not send
it again. Answering: its replies are in the journal too, with how many were sent. Answered: a trace
stays. Whatever interrupts this, the next process goes on from the last state.
"""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timezone
from functools import partial
from typing import Any, Dict, List, Optional, Protocol, Set
from weakref import WeakValueDictionary

from cryptography.fernet import InvalidToken, MultiFernet
from rasa.core.agent import Agent

from channels.buttons import Buttons
from channels.delivery import TryAgainError, UndeliverableError, deliver
from channels.journal import LEASE_SECONDS, Entry, Journal
from channels.turn import Incoming, Turns
from channels.web_limits import RateLimits
from guide.answer import SOURCES, topic_button
from guide.feedback import feedback_buttons
from guide.redaction import found
from guide.reply import Button, Reply
from guide.staff_commands import StaffCommands
from guide.staff_texts import StaffTexts
from guide.topics import TopicLibrary

logger = logging.getLogger(__name__)

WATCH_SECONDS = 5.0
DRAIN_SECONDS = 8.0
ANSWER_WITHIN = 15 * 60.0
"""A question that waited longer is not answered any more; the person is told so."""
DELIVER_WITHIN = 6 * 3600.0
LATER_SECONDS = 60.0
USER_LIMIT = "20/minute"
STRANGER_LIMIT = "1/day"

KIND_NAMES = {
    "e-mail": "an e-mail address",
    "phone": "a phone number",
    "date of birth": "a date of birth",
    "number": "an identity, record or card number",
    "name": "a name",
}


class BusyError(Exception):
    """The message could not be kept; the service should send it again."""


class Courier(Protocol):
    """How one service shows and takes messages."""

    def render(self, reply: Reply, chosen: Optional[str]) -> List[Dict[str, Any]]:
        """Return the messages of the service that show a reply.

        The payload of each button is an opaque id. `chosen` is the title of the button that was
        pressed, if one was.
        """

    async def send(self, address: Dict[str, Any], payload: Dict[str, Any]) -> None:
        """Send one message. Raises TryAgainError, UndeliverableError or a network error."""


@dataclass
class Task:
    """What is to be done for one message.

    Attributes:
        conversation: whose; made by the server from the verified identity.
        address: where the answer goes, for the courier.
        kind: text, button, command or notice.
        value: what was typed, a button's id, a command, or the key of a text of content/staff.yml.
        values: what fills the placeholders of a notice.
        crisis: category of a danger seen in words that are not kept.
        outgoing: the replies, each `{"kind", "payload"}`, once they are made.
        sent: how many of them were sent.
        sending: whether the next one may be on its way.
        again: whether it was taken up from a process that died; its turn may be stored.
    """

    conversation: str
    address: Dict[str, Any]
    kind: str
    value: str
    values: Dict[str, str] = field(default_factory=dict)
    crisis: Optional[str] = None
    outgoing: Optional[List[Dict[str, Any]]] = None
    sent: int = 0
    sending: bool = False
    again: bool = False


class _TakenOverError(Exception):
    """Another process holds the message now."""


class Desk:
    """Takes the messages of one channel."""

    def __init__(
        self,
        turns: Turns,
        courier: Courier,
        journal: Journal,
        cipher: MultiFernet,
        secret: bytes,
        library: TopicLibrary,
        texts: StaffTexts,
        commands: StaffCommands,
        redis_url: Optional[str] = None,
    ) -> None:
        self._turns = turns
        self._courier = courier
        self._journal = journal
        self._cipher = cipher
        self._buttons = Buttons(secret, [topic_button(topic) for topic in library.values()])
        self._commands = commands
        self._texts = texts
        self._limits = RateLimits(redis_url)
        self._agent: Any = None
        self._closing = asyncio.Event()
        self._watch: Optional[asyncio.Task[None]] = None
        self._working: Dict[str, asyncio.Task[None]] = {}
        self._side: Set[asyncio.Task[None]] = set()
        self._order: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # From the service

    async def receive(self, user: str, keys: Sequence[str], task: Task) -> bool:
        """Accept a message of a person who may ask; return False if it was accepted before.

        What seems to hold patient data is not kept: a reminder takes its place.

        Args:
            user: the verified identity.
            keys: all that identifies the message, such as the event's id and the message's place.
            task: the message.

        Raises:
            BusyError: it could not be accepted now.
        """
        if self._closing.is_set() or self._agent is None or not self._agent.is_ready():
            raise BusyError
        if task.kind in ("text", "command"):
            kinds = found(task.value)
            if kinds:
                named = ", ".join(KIND_NAMES.get(kind, kind) for kind in sorted(kinds))
                task = await self._notice(task, "patient_data", kinds=named)
        if await self._limits.wait(USER_LIMIT, "staff", f"{self._turns.channel}:{user}"):
            task = await self._notice(task, "too_many")
        return await self._accept(keys, task)

    async def notify(self, keys: Sequence[str], task: Task, key: str, **values: str) -> bool:
        """Accept a message that gets a text of content/staff.yml; its own words are not kept.

        Returns and raises as `receive`.
        """
        if self._closing.is_set() or self._agent is None or not self._agent.is_ready():
            raise BusyError
        return await self._accept(keys, await self._notice(task, key, **values))

    async def turn_away(self, user: str, keys: Sequence[str], task: Task) -> None:
        """Tell somebody who is not on the list so, once a day. Raises as `receive`."""
        # The id is no secret to its owner, and whoever runs the assistant needs it for the list.
        logger.warning("%s: %s is not on the list of users", self._turns.channel, user)
        if not await self._limits.wait(STRANGER_LIMIT, "stranger", f"{self._turns.channel}:{user}"):
            await self.notify(keys, replace(task, kind="notice", value=""), "not_listed", user=user)

    async def _notice(self, task: Task, key: str, **values: str) -> Task:
        """Return a task that says a text; a danger in the words that are dropped stays known."""
        crisis = task.crisis
        if task.kind in ("text", "command", "dropped") and task.value:
            parsed = await self._agent.parse_message(task.value)
            safety = parsed.get("safety") or {}
            crisis = safety.get("category") if safety.get("level") == "crisis" else None
        return replace(task, kind="notice", value=key, values=values, crisis=crisis)

    async def _accept(self, keys: Sequence[str], task: Task) -> bool:
        entry = Entry(uuid.uuid4().hex, self._sealed(task), time.time())
        try:
            accepted = await self._journal.accept(keys, entry)
        except Exception as error:
            logger.error("the journal failed with %s", type(error).__name__)
            raise BusyError from error
        if accepted:
            self._begin(entry, task)
        return accepted

    def aside(self, work: Any) -> None:
        """Run a coroutine that nothing depends on; its failure is a line in the log."""
        task = asyncio.create_task(work)
        self._side.add(task)
        task.add_done_callback(self._aside_done)

    def _aside_done(self, task: "asyncio.Task[None]") -> None:
        self._side.discard(task)
        if not task.cancelled() and task.exception():
            logger.warning("a side task failed with %s", type(task.exception()).__name__)

    def is_busy(self) -> bool:
        """Return whether a message is being answered."""
        return bool(self._working or self._side)

    async def outcomes(self) -> Dict[str, int]:
        """Return how the messages of the last two days ended; `open` are unanswered."""
        return await self._journal.outcomes()

    # Life

    async def start(self, agent: Agent) -> None:
        """Take up what is left from before, and from now on what other processes leave behind."""
        self._agent = agent
        self._watch = asyncio.create_task(self._keep_watch())

    async def stop(self) -> None:
        """Accept nothing more, finish what is under way, leave the rest to the next process."""
        self._closing.set()
        running = [*self._working.values(), *self._side, *([self._watch] if self._watch else [])]
        if running:
            await asyncio.wait(running, timeout=DRAIN_SECONDS)
        left = list(self._working)
        for task in [*self._working.values(), *self._side]:
            task.cancel()
        if left:
            logger.warning("%d messages are left for the next start", len(left))
            try:
                await self._journal.release(left)
            except Exception as error:
                # They are adopted all the same, when their leases have run out.
                logger.error("the journal failed with %s", type(error).__name__)

    async def _keep_watch(self) -> None:
        # Not ended by cancelling, which redis-py can swallow.
        while not self._closing.is_set():
            try:
                if self._working:
                    await self._journal.renew(list(self._working))
                for entry in await self._journal.adopt():
                    self._take_up(entry)  # what comes while closing is released with the rest
            except Exception as error:
                logger.error("the journal failed with %s", type(error).__name__)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._closing.wait(), WATCH_SECONDS)

    def _take_up(self, entry: Entry) -> None:
        if entry.id in self._working:
            return
        task = self._opened(entry)
        if task is None:
            logger.error("a message cannot be read with the present STORE_KEYS; it is given up")
            self.aside(self._journal.finish(entry.id, "unreadable"))
            return
        logger.warning("taking up a message that was left unanswered")
        task.again = True
        self._begin(entry, task)

    def _begin(self, entry: Entry, task: Task) -> None:
        work = asyncio.create_task(self._work(entry, task))
        self._working[entry.id] = work
        work.add_done_callback(lambda done: self._working.pop(entry.id, None))

    # One message

    async def _work(self, entry: Entry, task: Task) -> None:
        lock = self._order.setdefault(task.conversation, asyncio.Lock())
        async with lock:
            try:
                outcome = await self._answer(entry, task)
                if outcome is not None:
                    await self._journal.finish(entry.id, outcome)
            except _TakenOverError:
                logger.warning("another process took a message over")
            except Exception as error:
                # It stays in the journal, and the watch takes it up again.
                logger.error("a message was left with %s", type(error).__name__)

    async def _answer(self, entry: Entry, task: Task) -> Optional[str]:
        """Answer a message from the state it is in; return how it ended, or None if put off."""
        outcome = "answered"
        if task.outgoing is None:
            task.outgoing = await self._outgoing(entry, task)
            await self._keep(entry, task)
        elif task.sending:
            self._resume(task)
        while task.sent < len(task.outgoing):
            task.sending = True
            await self._keep(entry, task)
            send = partial(self._courier.send, task.address, task.outgoing[task.sent]["payload"])
            try:
                await deliver(send)
            except UndeliverableError as error:
                logger.error("a reply cannot be delivered: %s", error)
                outcome = "undeliverable"
            except TryAgainError as error:
                if time.time() - entry.received > DELIVER_WITHIN:
                    logger.error("a reply is given up after hours of failures: %s", error)
                    return "undeliverable"
                logger.warning("a reply is put off: %s", error)
                task.sending = False  # the service said no, so nothing is on its way
                await self._keep(entry, task, error.after or LATER_SECONDS)
                return None
            task.sent += 1
            task.sending = False
            await self._keep(entry, task)
        return outcome

    def _resume(self, task: Task) -> None:
        """Go on after an interruption in the middle of sending, which may have succeeded.

        A crisis reply rather comes twice than never. Any other reply is not sent again; a line
        says that it may be missing.
        """
        assert task.outgoing is not None
        task.sending = False
        if task.outgoing[task.sent]["kind"] == "crisis":
            return
        task.outgoing[task.sent : task.sent + 1] = self._rendered(task, self._texts.reply("unsure"))

    async def _keep(self, entry: Entry, task: Task, seconds: Optional[float] = None) -> None:
        try:
            seconds = LEASE_SECONDS if seconds is None else seconds
            held = await self._journal.keep(entry.id, self._sealed(task), seconds)
        except Exception as error:
            # An answer matters more than that a restart right now might repeat it.
            logger.error("the journal failed with %s", type(error).__name__)
            return
        if not held:
            raise _TakenOverError

    async def _outgoing(self, entry: Entry, task: Task) -> List[Dict[str, Any]]:
        """Return the replies as they are sent; whatever fails, there is the static message."""
        try:
            replies, chosen = await self._replies(entry, task)
            return [
                part
                for number, reply in enumerate(replies)
                for part in self._rendered(task, reply, None if number else chosen)
            ]
        except Exception as error:
            # The type alone: a message could quote what the person wrote.
            logger.error("a message failed with %s", type(error).__name__)
            return self._rendered(task, self._turns.static_message)

    async def _replies(self, entry: Entry, task: Task) -> "tuple[List[Reply], Optional[str]]":
        """Return the replies to a message, and the title of the button that was pressed."""
        if task.kind == "notice":
            return await self._told(task), None
        if task.kind == "command":
            name, _, words = task.value.partition(" ")
            told = await asyncio.to_thread(self._commands.reply, name, words, date.today())
            return [told], None
        waited = time.time() - entry.received
        if waited > ANSWER_WITHIN and not await self._is_urgent(task):
            came = datetime.fromtimestamp(entry.received, timezone.utc)
            return [self._texts.reply("missed", time=came.strftime("%H:%M"))], None
        if task.kind == "text":
            incoming = Incoming(task.conversation, task.value, False, entry.id, task.again)
            return await self._turns.take(self._agent, incoming), None
        button = await self._buttons.resolve(self._agent, task.conversation, task.value)
        if button is None:
            return [self._texts.reply("stale_button")], None
        incoming = Incoming(task.conversation, button.payload, True, entry.id, task.again)
        return await self._turns.take(self._agent, incoming), button.title

    async def _told(self, task: Task) -> List[Reply]:
        notice = self._texts.reply(task.value, **task.values)
        if task.crisis is None:
            return [notice]
        crisis = f"utter_crisis/{task.crisis}"
        return [await self._turns.say(self._agent, task.conversation, crisis), notice]

    async def _is_urgent(self, task: Task) -> bool:
        if task.kind != "text":
            return False
        parsed = await self._agent.parse_message(task.value)
        return (parsed.get("safety") or {}).get("level") == "crisis"

    def _rendered(
        self, task: Task, reply: Reply, chosen: Optional[str] = None
    ) -> List[Dict[str, Any]]:
        """Return the messages that show a reply, each `{"kind", "payload"}`."""
        # A reply that shows its sources needs no button to ask for them.
        buttons = [button for button in reply.buttons if not (reply.sources and button == SOURCES)]
        opaque = tuple(
            Button(button.title, self._buttons.id(task.conversation, button.payload))
            for button in (*buttons, *feedback_buttons(reply))
        )
        shown = self._courier.render(replace(reply, buttons=opaque), chosen)
        return [{"kind": reply.kind, "payload": payload} for payload in shown]

    def _sealed(self, task: Task) -> bytes:
        return self._cipher.encrypt(json.dumps(asdict(task)).encode())

    def _opened(self, entry: Entry) -> Optional[Task]:
        try:
            return Task(**json.loads(self._cipher.decrypt(entry.body)))
        except (InvalidToken, ValueError, TypeError):
            return None
