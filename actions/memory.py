"""What the assistant remembers of a conversation: topics and counts in slots, never words."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet

REMEMBERED_TELLINGS = 100


def current_topic(tracker: Tracker) -> str | None:
    """Return the key of the topic that is being talked about."""
    topic: str | None = tracker.get_slot("topic")
    return topic


def told(tracker: Tracker) -> list[str]:
    """Return what has been told, oldest first, each as `<topic> <telling>`: "bladder detail"."""
    return list(tracker.get_slot("told") or [])


def told_topics(tracker: Tracker) -> list[str]:
    """Return the topics that something has been told about."""
    return [entry.split()[0] for entry in told(tracker)]


def misses(tracker: Tracker) -> int:
    """Return how many turns in a row found no answer."""
    return int(tracker.get_slot("misses") or 0)


def country(tracker: Tracker) -> str | None:
    """Return the country that the person named, if any."""
    named: str | None = tracker.get_slot("country")
    return named


def remember_telling(tracker: Tracker, *entries: str) -> list[dict[str, Any]]:
    """Return the events after telling `entries`; the last one's topic is now talked about."""
    return [
        SlotSet("topic", entries[-1].split()[0]),
        SlotSet("told", (told(tracker) + list(entries))[-REMEMBERED_TELLINGS:]),
        SlotSet("misses", 0),
    ]


def remember_miss(tracker: Tracker) -> list[dict[str, Any]]:
    """Return the event after a turn that found no answer."""
    return [SlotSet("misses", misses(tracker) + 1)]
