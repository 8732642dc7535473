"""What every custom action shares: content loaded once, and never an exception, never silence."""

import logging
from abc import ABC, abstractmethod
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from guide.answer import Composer
from guide.logs import protect_logs
from guide.paths import CONTENT, FAQ
from guide.reply import Reply

logger = logging.getLogger(__name__)

Events = list[dict[str, Any]]

# rasa-sdk has set its logs up before it loads the actions.
protect_logs()


@lru_cache(maxsize=1)
def composer() -> Composer:
    """Return the composer over the content of this checkout."""
    return Composer.load(FAQ, CONTENT)


def utter(dispatcher: CollectingDispatcher, reply: Reply) -> None:
    """Send `reply`; every field but text and buttons travels as the message's metadata."""
    fields = {name: value for name, value in asdict(reply).items() if value not in (None, ())}
    buttons = list(fields.pop("buttons", ()))
    dispatcher.utter_message(text=fields.pop("text"), buttons=buttons, **fields)


def meet_fear(dispatcher: CollectingDispatcher, message: dict[str, Any]) -> None:
    """Say a human word before the information, to a person who says that they are afraid."""
    if message.get("afraid") and (message.get("safety") or {}).get("level", "none") == "none":
        dispatcher.utter_message(response="utter_meet_fear")


class GuideAction(Action, ABC):
    """An action that answers with `reply`; a failure inside becomes the static safety message."""

    @abstractmethod
    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        """Send replies through `dispatcher` and return the events to remember."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        """Run `reply`. Never raises: rasa-sdk would write the whole conversation into the log."""
        try:
            return self.reply(dispatcher, tracker)
        except Exception as error:
            # The type alone: a message could quote what the person wrote.
            logger.error("%s failed with %s", self.name(), type(error).__name__)
            dispatcher.messages.clear()
            dispatcher.utter_message(response="utter_error")
            return []
