"""One turn never ends in silence, an exception, or words in a log."""

import asyncio
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from channels.turn import Incoming, Turns, remembered

SECRET = "my name is Jo Secret"


class FakeAgent:
    """Answers with given messages, or raises; tells disclosures when asked to."""

    def __init__(self, messages: list[dict[str, Any]], error: Exception | None = None) -> None:
        self.messages = messages
        self.error = error
        self.events: list[Event] = []
        self.assessment: dict[str, Any] | None = {"level": "none"}
        self.domain = Domain.empty()
        self.said: list[str] = []
        self.tracker_store = SimpleNamespace(
            retrieve=self._retrieve,
            retrieve_full_tracker=self._retrieve,
            get_or_create_tracker=self._retrieve,
            save=self._save,
        )
        self.lock_store = SimpleNamespace(lock=self._lock)
        self.nlg = SimpleNamespace(generate=self._generate)

    async def _retrieve(self, conversation: str) -> DialogueStateTracker:
        return DialogueStateTracker.from_events(conversation, self.events)

    @asynccontextmanager
    async def _lock(self, conversation: str) -> Any:
        yield

    async def handle_message(self, message: UserMessage) -> None:
        for reply in self.messages:
            await message.output_channel.send_response(message.sender_id, dict(reply))
        if self.error:
            raise self.error
        self.events.append(UserUttered("a"))
        for reply in self.messages:
            self.events.append(BotUttered(reply["text"], metadata={"kind": reply["kind"]}))

    async def parse_message(self, text: str) -> dict[str, Any]:
        if self.assessment is None:
            raise RuntimeError(text)
        return {"safety": self.assessment}

    async def _generate(
        self, response: str, tracker: DialogueStateTracker, channel: str
    ) -> dict[str, Any]:
        self.said.append(response)
        kind = "crisis" if response.startswith("utter_crisis/") else "disclosure"
        return {"text": "I am a program", "kind": kind}

    async def _save(self, tracker: DialogueStateTracker) -> None:
        self.events = list(tracker.events)


def take(agent: FakeAgent, turns: Turns | None = None) -> list[str]:
    """Return the kinds of the replies to one message."""
    turns = turns or Turns("test")
    replies = asyncio.run(turns.take(agent, Incoming("test:1", SECRET)))  # type: ignore[arg-type]
    return [reply.kind for reply in replies]


ANSWER = {"text": "It can.", "kind": "answer"}
CRISIS = {"text": "Call 988.", "kind": "crisis"}


def test_the_first_reply_discloses_and_the_second_does_not_again() -> None:
    agent, turns = FakeAgent([ANSWER]), Turns("test")
    assert take(agent, turns) == ["disclosure", "answer"]
    assert take(agent, turns) == ["answer"]


def test_nothing_stands_before_a_crisis_number() -> None:
    assert take(FakeAgent([CRISIS])) == ["crisis"]


def test_another_process_knows_from_the_store_that_it_was_disclosed() -> None:
    agent = FakeAgent([ANSWER])
    assert take(agent, Turns("test")) == ["disclosure", "answer"]
    assert take(agent, Turns("test")) == ["answer"]


@pytest.mark.parametrize(
    ("hours", "action"), [(4, "utter_disclosure_reminder"), (24 * 8, "utter_disclosure")]
)
def test_the_disclosure_comes_again_after_hours_and_in_full_after_days(
    hours: float, action: str
) -> None:
    agent = FakeAgent([ANSWER])
    agent.events = [
        BotUttered("x", metadata={"kind": "disclosure"}, timestamp=time.time() - hours * 3600)
    ]
    assert take(agent) == ["disclosure", "answer"]
    assert agent.said == [action]


def test_silence_becomes_the_static_message() -> None:
    assert take(FakeAgent([])) == ["disclosure", "error"]


def test_an_exception_becomes_the_static_message_and_leaves_no_words_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    assert take(FakeAgent([], RuntimeError(SECRET))) == ["error"]
    assert "RuntimeError" in caplog.text
    assert "Secret" not in caplog.text


def test_replies_made_before_an_exception_are_not_lost() -> None:
    assert take(FakeAgent([ANSWER], RuntimeError(SECRET))) == ["answer", "error"]
    assert take(FakeAgent([CRISIS], RuntimeError(SECRET))) == ["crisis"]


def test_a_crisis_gets_its_reply_even_when_the_turn_fails() -> None:
    agent = FakeAgent([], RuntimeError(SECRET))
    agent.assessment = {"level": "crisis", "category": "suicide"}
    assert take(agent) == ["crisis"]
    assert agent.said == ["utter_crisis/suicide"]


def test_when_not_even_the_assessment_works_the_static_message_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    agent = FakeAgent([], RuntimeError(SECRET))
    agent.assessment = None
    assert take(agent) == ["error"]
    assert "Secret" not in caplog.text


def test_a_message_that_is_stored_already_is_not_taken_twice() -> None:
    agent = FakeAgent([ANSWER])
    agent.events = [
        UserUttered("a", message_id="one"),
        BotUttered("It can.", metadata={"kind": "answer"}),
        UserUttered("b", message_id="two"),
        BotUttered("Hello.", metadata={"kind": "smalltalk"}),
    ]
    for incoming, kinds in (
        (Incoming("test:1", "a", id="one", again=True), ["answer"]),
        (Incoming("test:1", "b", id="two", again=True), ["smalltalk"]),
    ):
        replies = asyncio.run(Turns("test").take(agent, incoming))  # type: ignore[arg-type]
        assert [reply.kind for reply in replies] == kinds
    assert len(agent.events) == 4


def test_a_long_conversation_is_not_told_again_what_it_talks_to() -> None:
    agent = FakeAgent([ANSWER])
    agent.events = [BotUttered("x", metadata={"kind": "disclosure"})]
    whole = list(agent.events)

    async def latest(conversation: str) -> DialogueStateTracker:
        return DialogueStateTracker.from_events(conversation, agent.events[-2:])

    async def full(conversation: str) -> DialogueStateTracker:
        return DialogueStateTracker.from_events(conversation, [*whole, *agent.events])

    agent.tracker_store.retrieve, agent.tracker_store.retrieve_full_tracker = latest, full
    assert [take(agent) for _ in range(3)] == [["answer"]] * 3


def test_the_static_message_names_the_crisis_line() -> None:
    assert "988" in Turns("test").static_message.text


def test_a_new_conversation_remembers_nothing() -> None:
    memory = remembered(None)
    assert memory.disclosed is None
    assert memory.turns_since_crisis is None


def test_after_a_crisis_a_reminder_comes_and_fades() -> None:
    agent, turns = FakeAgent([CRISIS]), Turns("test")
    assert take(agent, turns) == ["crisis"]
    agent.messages = [ANSWER]
    took = [take(agent, turns) for _ in range(5)]
    reminded = [agent.said.count("utter_help_is_there")]
    assert len(took[0]) == 3  # disclosure, answer, reminder
    assert [len(kinds) for kinds in took[1:]] == [1, 2, 1, 1]
    assert reminded == [2]


def test_another_process_knows_from_the_store_how_long_ago_the_crisis_was() -> None:
    crisis = BotUttered("Call 988.", metadata={"kind": "crisis"})
    events = [
        UserUttered("a"),
        crisis,
        UserUttered("b"),
        BotUttered("x", metadata={"kind": "answer"}),
    ]
    tracker = DialogueStateTracker.from_events("test:1", [*events, UserUttered("c")])
    assert remembered(tracker).turns_since_crisis == 2  # "b", and "c", which is being answered
