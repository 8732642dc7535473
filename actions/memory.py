"""What the assistant remembers of a conversation: topics and counts in slots, never words."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet

REMEMBERED_ANSWERS = 50


def current_topic(tracker: Tracker) -> str | None:
    """Return the key of the topic that is being talked about."""
    return tracker.get_slot("topic")


def answered(tracker: Tracker) -> list[str]:
    """Return the topics answered so far, oldest first."""
    return list(tracker.get_slot("answered") or [])


def misses(tracker: Tracker) -> int:
    """Return how many turns in a row found no answer."""
    return int(tracker.get_slot("misses") or 0)


def country(tracker: Tracker) -> str | None:
    """Return the country that the person named, if any."""
    return tracker.get_slot("country")


def remember_answers(tracker: Tracker, keys: list[str]) -> list[dict[str, Any]]:
    """Return the events after answering the topics `keys`; the last one is now talked about."""
    return [
        SlotSet("topic", keys[-1]),
        SlotSet("answered", (answered(tracker) + keys)[-REMEMBERED_ANSWERS:]),
        SlotSet("misses", 0),
    ]


def remember_miss(tracker: Tracker) -> list[dict[str, Any]]:
    """Return the event after a turn that found no answer."""
    return [SlotSet("misses", misses(tracker) + 1)]
