"""Trackers over real databases: whole, private, and never silently begun anew."""

import asyncio
import threading
from typing import Any

import pytest
from rasa.core.agent import Agent
from rasa.core.lock_store import LockStore
from rasa.core.tracker_store import TrackerStore
from rasa.core.utils import AvailableEndpoints
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import EventVerbosity
from sqlalchemy.exc import SQLAlchemyError

from guide.conversations import ConflictError, ConversationStore
from guide.paths import ROOT
from stores.lock_store import GuideLockStore
from stores.tracker_store import WINDOW, GuideTrackerStore

DOMAIN = Domain.from_yaml(
    "slots: {topic: {type: text, influence_conversation: false, mappings: [{type: custom}]}}"
)


def said(text: str, id: str = "1", **safety: Any) -> UserUttered:
    parsed = {
        "intent": {"name": "faq", "confidence": 0.9},
        "intent_ranking": [{"name": "faq/bladder", "confidence": 0.9}],
        "entities": [{"entity": "country", "value": "US", "start": 0, "end": 3}],
        "text": text,
        "text_tokens": [[0, 3]],
        "response_selector": {"faq": {"response": {"text": text}}},
        "questions": [{"text": text}],
        "safety": {"level": "none", **safety},
    }
    return UserUttered(
        text,
        parsed["intent"],
        parsed["entities"],
        parsed,
        message_id=id,
        metadata={"button": False, "visitor": text},
    )


@pytest.fixture
def trackers(store: ConversationStore) -> GuideTrackerStore:
    return GuideTrackerStore(DOMAIN, store=store)


async def take_turn(trackers: GuideTrackerStore, number: int, name: str = "a") -> None:
    tracker = await trackers.get_or_create_tracker(name)
    tracker.update(said(f"question {number}", id=str(number)))
    tracker.update(SlotSet("topic", f"topic {number}"))
    tracker.update(BotUttered(f"answer {number}", metadata={"kind": "answer"}))
    await trackers.save(tracker)


async def test_another_process_reads_what_was_said(
    trackers: GuideTrackerStore, store: ConversationStore
) -> None:
    for number in range(3):
        await take_turn(trackers, number)
    other = GuideTrackerStore(DOMAIN, store=store)
    for process in (trackers, other):
        tracker = await process.retrieve("a")
        assert tracker is not None
        assert [e.text for e in tracker.events if isinstance(e, UserUttered)] == [
            "question 0",
            "question 1",
            "question 2",
        ]
        assert tracker.get_slot("topic") == "topic 2"
        assert tracker.latest_message.intent_name == "faq"
    assert await other.retrieve("b") is None
    assert list(await other.keys()) == ["a"]


async def test_processes_taking_turns_lose_nothing(
    trackers: GuideTrackerStore, store: ConversationStore
) -> None:
    other = GuideTrackerStore(DOMAIN, store=store)
    for number in range(2 * WINDOW):
        await take_turn((trackers, other)[number % 2], number)
    whole = await trackers.retrieve_full_tracker("a")
    assert whole is not None
    texts = [e.text for e in whole.events if isinstance(e, UserUttered)]
    assert texts == [f"question {number}" for number in range(2 * WINDOW)]


async def test_a_long_conversation_is_read_from_its_end_with_its_slots(
    trackers: GuideTrackerStore, store: ConversationStore
) -> None:
    for number in range(WINDOW + 5):
        await take_turn(trackers, number)
    tracker = await trackers.get_or_create_tracker("a")
    tracker.update(SlotSet("topic", "kept"))
    await trackers.save(tracker)
    for _ in range(WINDOW):
        tracker = await trackers.get_or_create_tracker("a")
        tracker.update(said("more"))
        await trackers.save(tracker)
    for process in (trackers, GuideTrackerStore(DOMAIN, store=store)):
        latest = await process.retrieve("a")
        assert latest is not None
        assert len([e for e in latest.events if isinstance(e, UserUttered)]) == WINDOW
        assert latest.get_slot("topic") == "kept"


async def test_a_new_session_does_not_know_the_slots_of_the_old(
    trackers: GuideTrackerStore,
) -> None:
    await take_turn(trackers, 1)
    tracker = await trackers.get_or_create_tracker("a")
    tracker.update(ActionExecuted("action_session_start"))
    tracker.update(SessionStarted())
    tracker.update(said("again"))
    await trackers.save(tracker)
    tracker = await trackers.retrieve("a")
    assert tracker is not None
    assert tracker.get_slot("topic") is None
    assert [e.text for e in tracker.events if isinstance(e, UserUttered)] == ["again"]
    whole = await trackers.retrieve_full_tracker("a")
    assert whole is not None
    assert len([e for e in whole.events if isinstance(e, UserUttered)]) == 2


async def test_a_turn_that_went_on_elsewhere_is_refused(trackers: GuideTrackerStore) -> None:
    await take_turn(trackers, 1)
    one = await trackers.get_or_create_tracker("a")
    other = await trackers.get_or_create_tracker("a")
    for tracker in (one, other):
        tracker.update(said("at once"))
    await trackers.save(one)
    with pytest.raises(ConflictError):
        await trackers.save(other)
    await trackers.save(one)  # nothing new: nothing happens
    fresh = trackers.init_tracker("a")
    fresh.update(said("begun anew"))
    with pytest.raises(ConflictError):
        await trackers.save(fresh)


async def test_personal_data_is_gone_before_anything_is_stored(
    trackers: GuideTrackerStore, store: ConversationStore
) -> None:
    tracker = await trackers.get_or_create_tracker("a")
    tracker.update(said("my name is Quixandra Zyle, quixandra@secret.example, 555-867-5309"))
    await trackers.save(tracker)
    head = store.head("a")
    assert head is not None
    stored = repr(store.turns(head))
    assert "[name], [e-mail], [phone]" in stored
    assert "uixandra" not in stored
    assert "5309" not in stored
    assert (
        await trackers.retrieve("a")
    ).latest_message.text == "my name is [name], [e-mail], [phone]"


async def test_of_a_crisis_only_category_and_time_stay(
    trackers: GuideTrackerStore, store: ConversationStore
) -> None:
    tracker = await trackers.get_or_create_tracker("a")
    tracker.update(said("i want to kill myself", level="crisis", category="suicide"))
    tracker.update(BotUttered("Call 988.", metadata={"kind": "crisis", "category": "suicide"}))
    await trackers.save(tracker)
    head = store.head("a")
    assert head is not None
    assert "kill" not in repr(store.turns(head))
    kept = (await GuideTrackerStore(DOMAIN, store=store).retrieve("a")).latest_message
    assert kept.text is None
    assert kept.parse_data["safety"] == {"level": "crisis", "category": "suicide"}
    assert kept.timestamp > 0


async def test_the_action_server_is_not_sent_the_conversation(
    trackers: GuideTrackerStore,
) -> None:
    for number in range(4):
        await take_turn(trackers, number)
    tracker = await trackers.get_or_create_tracker("a")
    tracker.update(said("now"))
    state = tracker.current_state(EventVerbosity.ALL)
    assert [event["event"] for event in state["events"]] == ["user"]
    assert state["slots"]["topic"] == "topic 3"
    assert state["latest_message"]["text"] == "now"


async def test_a_deleted_conversation_is_gone_everywhere(
    trackers: GuideTrackerStore, store: ConversationStore
) -> None:
    await take_turn(trackers, 1)
    other = GuideTrackerStore(DOMAIN, store=store)
    assert await other.retrieve("a") is not None
    store.delete("a")
    assert await trackers.retrieve("a") is None
    assert await other.retrieve_full_tracker("a") is None
    await take_turn(other, 2)
    assert [
        e.text for e in (await trackers.retrieve("a")).events if isinstance(e, UserUttered)
    ] == ["question 2"]


async def test_many_turns_at_once_in_one_conversation_are_all_kept(
    trackers: GuideTrackerStore,
) -> None:
    locks = GuideLockStore()

    async def turn(number: int) -> None:
        async with locks.lock("a"):
            await take_turn(trackers, number)

    await asyncio.gather(*(turn(number) for number in range(20)))
    whole = await trackers.retrieve_full_tracker("a")
    assert whole is not None
    assert sorted(int(e.message_id) for e in whole.events if isinstance(e, UserUttered)) == list(
        range(20)
    )


async def test_a_database_that_hangs_counts_as_failing(
    trackers: GuideTrackerStore, store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.tracker_store.PATIENCE_SECONDS", 0.2)
    goes_on = threading.Event()
    monkeypatch.setattr(store, "head", lambda name: goes_on.wait(20))
    try:
        with pytest.raises(asyncio.TimeoutError):
            await trackers.retrieve("a")
    finally:
        goes_on.set()


async def test_rasa_takes_the_stores_of_endpoints_yml_and_hides_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoints = AvailableEndpoints.read_endpoints(str(ROOT / "endpoints.yml"))
    agent = Agent(
        domain=DOMAIN,
        tracker_store=TrackerStore.create(endpoints.tracker_store),
        lock_store=LockStore.create(endpoints.lock_store),
    )
    assert type(agent.tracker_store) is GuideTrackerStore
    assert type(agent.lock_store) is GuideLockStore
    assert agent.tracker_store.domain is DOMAIN

    def fails(*given: Any) -> None:
        raise SQLAlchemyError("no database")

    for name in ("head", "append"):
        monkeypatch.setattr(agent.tracker_store._store, name, fails)
    with pytest.raises(SQLAlchemyError):
        await agent.tracker_store.get_or_create_tracker("a")
    with pytest.raises(SQLAlchemyError):
        await agent.tracker_store.retrieve_full_tracker("a")
