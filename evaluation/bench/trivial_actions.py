"""Custom actions that do next to nothing, for the assistants that ours is compared with.

Each marks its reply with its kind, so that a measurement knows which kind of turn it was.
"""

from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher


class Marked(Action, ABC):
    """Gives one reply, marked with its kind."""

    kind: str

    @abstractmethod
    def said(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the text or the response to say to the latest message."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it."""
        dispatcher.utter_message(
            **self.said(tracker.latest_message), json_message={"kind": self.kind}
        )
        return []


class Echo(Marked):
    """Says what was said: the floor's action."""

    kind = "action"

    def name(self) -> str:
        return "action_echo"

    def said(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"text": message["text"]}


class Answer(Marked):
    """Says the response that Rasa's response selector chose: the default assistant's answer."""

    kind = "answer"

    def name(self) -> str:
        return "action_answer"

    def said(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"response": message["response_selector"]["default"]["response"]["utter_action"]}


class Unknown(Marked):
    """Says that nothing is known: the default assistant's fallback."""

    kind = "unknown"

    def name(self) -> str:
        return "action_unknown"

    def said(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"response": "utter_unknown"}


class Outside(Unknown):
    """The same, where a question is understood to be outside the library."""

    def name(self) -> str:
        return "action_outside"
