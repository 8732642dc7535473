"""The tracker store (`tracker_store.type` in endpoints.yml): Rasa's trackers over conversations.

It fails closed. Rasa wraps every tracker store in one that answers a database error with an empty
conversation and goes on in memory; importing this module takes that wrapper away, so the error
reaches the channel, which gives the static message.
"""

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, TypeVar

from rasa.core.agent import Agent
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SessionStarted, UserUttered
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

from guide.conversations import ConversationStore, Head, Turn, conversation_store
from guide.database import CONNECTIONS
from guide.keeping import kept_event

Result = TypeVar("Result")

WINDOW = 16
"""Turns that a tracker holds: enough for every rule and for the safety gate, so the two hundredth
turn costs what the tenth did."""

PATIENCE_SECONDS = 10.0
"""A database that hangs, and does not even say so, counts as one that fails after this time."""

REMEMBERED_CONVERSATIONS = 200
REMEMBERED_SECONDS = 600.0
"""A remembered turn takes about 11 KB, so at most about 35 MB; a forgotten one is read again."""


class KeptTracker(DialogueStateTracker):
    """A tracker that knows how much of it is kept.

    Attributes:
        head: how far the conversation had come when it was read; None if it is new.
        kept: how many of `events` are kept.
    """

    head: Optional[Head] = None
    kept: int = 0

    def current_state(
        self, event_verbosity: EventVerbosity = EventVerbosity.NONE
    ) -> Dict[str, Any]:
        """Return the state as data; with all events, only those since the latest message.

        Rasa sends this to the action server, which needs slots and the latest message. It need not
        see the conversation, and does not become slower as that grows.
        """
        state: Dict[str, Any] = super().current_state()
        if event_verbosity != EventVerbosity.NONE:
            state["events"] = [event.as_dict() for event in self._since_latest_message()]
        return state

    def _since_latest_message(self) -> List[Event]:
        events = list(self.events)
        for index in range(len(events) - 1, -1, -1):
            if isinstance(events[index], UserUttered):
                return events[index:]
        return events


@dataclass
class _Remembered:
    """The latest turns of a conversation, as they were read or kept by this process."""

    head: Head
    turns: List["_Turn"]
    until: float


@dataclass(frozen=True)
class _Turn:
    """The events of a turn, and the slots after it."""

    events: Sequence[Event]
    slots: Dict[str, Any]


class GuideTrackerStore(TrackerStore):
    """Keeps trackers encrypted, redacted, and in an order that two writers cannot break."""

    def __init__(
        self,
        domain: Optional[Domain] = None,
        event_broker: Optional[EventBroker] = None,
        host: Optional[str] = None,
        store: Optional[ConversationStore] = None,
    ) -> None:
        """Open nothing yet.

        Args:
            domain: set by Rasa when the model is loaded.
            event_broker: not used; events go nowhere else.
            host: given by Rasa; the environment says where the database is.
            store: for tests.

        Raises:
            guide.environment.SettingError: a setting is wrong.
        """
        super().__init__(domain, None)
        self._store = store or conversation_store()
        self._threads = ThreadPoolExecutor(CONNECTIONS, "conversations")
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        """Return the latest turns of the current session, with the slots as they stand."""
        head = await self._in_thread(self._store.head, sender_id)
        if head is None:
            self._remembered.pop(sender_id, None)
            return None
        turns = await self._latest(sender_id, head)
        slots: Dict[str, Any] = {}
        if len(turns) > WINDOW:
            # The turn before the window tells the slots at its beginning.
            slots, turns = turns[0].slots, turns[1:]
        events = [event for turn in turns for event in turn.events]
        for index in range(len(events) - 1, -1, -1):
            if isinstance(events[index], SessionStarted):
                return self._tracker(sender_id, head, events[index:], {})
        return self._tracker(sender_id, head, events, slots)

    async def retrieve_full_tracker(self, conversation_id: str) -> Optional[DialogueStateTracker]:
        """Return the whole conversation, over all its sessions."""
        head = await self._in_thread(self._store.head, conversation_id)
        if head is None:
            return None
        turns = await self._in_thread(self._store.turns, head)
        events = [event for turn in turns for event in _turn(turn).events]
        return self._tracker(conversation_id, head, events, {})

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep the events that are new in a tracker of this store.

        Raises:
            guide.conversations.ConflictError: the conversation has gone on without this tracker;
                nothing was kept.
        """
        assert isinstance(tracker, KeptTracker), "trackers come from this store"
        new = list(tracker.events)[tracker.kept :]
        if not new:
            return
        turn = {
            "events": [kept_event(event.as_dict()) for event in new],
            "slots": {name: slot.value for name, slot in tracker.slots.items() if _is_set(slot)},
        }
        name = tracker.sender_id
        head = await self._in_thread(self._store.append, name, tracker.head, turn)
        tracker.head = head
        tracker.kept = len(tracker.events)
        self._remember_turn(name, head, turn)

    async def keys(self) -> Iterable[str]:
        """Return every conversation."""
        return await self._in_thread(self._store.names)

    async def delete(self, conversation: str) -> None:
        """Delete a conversation. The caller holds its lock."""
        await self._in_thread(self._store.delete, conversation)
        self._remembered.pop(conversation, None)

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        """Return an empty tracker of a new conversation."""
        return KeptTracker(sender_id, self.domain.slots)

    def _tracker(
        self, name: str, head: Head, events: Sequence[Event], slots: Dict[str, Any]
    ) -> KeptTracker:
        tracker = KeptTracker(name, self.domain.slots)
        for slot, value in slots.items():
            if slot in tracker.slots:
                tracker.slots[slot].value = value
        for event in events:
            tracker.update(event)
        tracker.head = head
        tracker.kept = len(tracker.events)
        return tracker

    async def _latest(self, name: str, head: Head) -> List[_Turn]:
        """Return the latest turns of a conversation, one more than WINDOW if there are so many."""
        first = max(0, head.length - WINDOW - 1)
        known = self._remembered.get(name)
        if known and known.head.id == head.id and first <= known.head.length <= head.length:
            turns, since = known.turns, known.head.length
        else:
            turns, since = [], first
        if since < head.length:
            read = await self._in_thread(self._store.turns, head, since)
            turns = [*turns, *(_turn(turn) for turn in read)]
        turns = turns[-(WINDOW + 1) :]
        self._remember(name, head, turns)
        return turns

    def _remember_turn(self, name: str, head: Head, turn: Turn) -> None:
        known = self._remembered.get(name)
        if head.length == 1:
            self._remember(name, head, [_turn(turn)])
        elif known and known.head == Head(head.id, head.length - 1):
            # As it was kept, not as it was said: what another process would read.
            self._remember(name, head, [*known.turns, _turn(turn)][-(WINDOW + 1) :])

    def _remember(self, name: str, head: Head, turns: List[_Turn]) -> None:
        now = time.monotonic()
        self._remembered[name] = _Remembered(head, turns, now + REMEMBERED_SECONDS)
        self._remembered.move_to_end(name)
        while self._remembered:
            oldest = next(iter(self._remembered.values()))
            if len(self._remembered) <= REMEMBERED_CONVERSATIONS and oldest.until > now:
                break
            self._remembered.popitem(last=False)

    async def _in_thread(self, work: Callable[..., Result], *given: Any) -> Result:
        working = asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        return await asyncio.wait_for(working, PATIENCE_SECONDS)


def _turn(data: Turn) -> _Turn:
    events = [Event.from_parameters(event) for event in data["events"]]
    return _Turn([event for event in events if event is not None], data["slots"])


def _is_set(slot: Slot) -> bool:
    return bool(slot.value != slot.initial_value)


def _unwrapped(store: Optional[TrackerStore], domain: Domain) -> TrackerStore:
    """Return the tracker store as it is, with the model's domain."""
    if store is None:
        return InMemoryTrackerStore(domain)
    store.domain = domain
    return store


# Rasa offers no setting for this; the one place where it wraps the store is a method of its own.
Agent._create_tracker_store = staticmethod(_unwrapped)
