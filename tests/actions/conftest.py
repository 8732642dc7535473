"""Running one action against a conversation, without servers."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher


class Outcome:
    """What an action said and remembered."""

    def __init__(self, messages: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
        self.messages = messages
        self.slots = {event["name"]: event["value"] for event in events if event["event"] == "slot"}

    @property
    def kinds(self) -> list[str]:
        return [message.get("kind") or message["response"] for message in self.messages]


@pytest.fixture
def act() -> Callable[..., Outcome]:
    """Run an action: `act(ActionAnswer(), latest_message={...}, slots={...})`."""

    def run(action: Action, latest_message: dict[str, Any] | None = None, **slots: Any) -> Outcome:
        tracker = Tracker(
            "test:1", slots, latest_message or {}, [], False, None, {}, "action_listen"
        )
        dispatcher = CollectingDispatcher()
        events = asyncio.run(action.run(dispatcher, tracker, {}))
        return Outcome(dispatcher.messages, events)

    return run
