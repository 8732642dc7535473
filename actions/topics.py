"""Answering a topic, and what can be asked about the answer."""

from abc import abstractmethod
from dataclasses import asdict
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, GuideAction, composer, meet_fear, utter
from actions.memory import (
    country,
    current_topic,
    remember_miss,
    remember_telling,
    told,
    told_topics,
)

TELLINGS = ("answer", "detail", "simpler")
"""The ways a topic can be told, in the order in which a question asked again gets them."""


def asked_topics(message: dict[str, Any]) -> list[str]:
    """Return the topics that the message asks for: a pressed button, or what was understood."""
    for entity in message.get("entities") or []:
        if entity.get("entity") == "topic":
            return [str(entity["value"])]
    questions = message.get("questions")
    if not questions:
        questions = [message["response_selector"]["faq"]["response"]]
    return [question["intent_response_key"].removeprefix("faq/") for question in questions]


def candidate_topics(message: dict[str, Any]) -> list[str]:
    """Return the topics that the latest message may mean, best first."""
    ranking = (message.get("response_selector") or {}).get("faq", {}).get("ranking", [])
    return [entry["intent_response_key"].removeprefix("faq/") for entry in ranking]


def near_topics(message: dict[str, Any]) -> list[str]:
    """Return the topics that a typed question may have meant in place of the one answered."""
    return [label.removeprefix("faq/") for label in message.get("near") or []]


def say_all_told(dispatcher: CollectingDispatcher, key: str) -> None:
    """Say that nothing more is known here about topic `key`, and where to go on."""
    buttons = [asdict(button) for button in composer().after_all(key)]
    dispatcher.utter_message(response="utter_all_told", buttons=buttons, topic=key)


class ActionAnswer(GuideAction):
    """Answers the topic or topics asked for; a topic asked again is told in other words."""

    def name(self) -> str:
        return "action_answer"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        keys = asked_topics(tracker.latest_message)
        if any(composer().withheld(key) for key in keys):
            dispatcher.utter_message(response="utter_unknown")
            return remember_miss(tracker)
        meet_fear(dispatcher, tracker.latest_message)
        before = told(tracker)
        near = near_topics(tracker.latest_message)
        telling_now = []
        for key in keys:
            entry = next((f"{key} {way}" for way in TELLINGS if f"{key} {way}" not in before), None)
            if entry is None:
                say_all_told(dispatcher, key)
                telling_now.append(f"{key} again")
                continue
            way = entry.split()[1]
            said = len(before) + len(telling_now)
            utter(dispatcher, composer().answer(key, said, country(tracker), way, near))
            telling_now.append(entry)
        safety = tracker.latest_message.get("safety") or {}
        if safety.get("level") == "check_in":
            dispatcher.utter_message(response=f"utter_check_in/{safety['category']}")
        return remember_telling(tracker, *telling_now)


class FollowUp(GuideAction):
    """An action about the topic that is being talked about."""

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        key = current_topic(tracker)
        if key is None:
            dispatcher.utter_message(response="utter_nothing_to_continue")
            return []
        return self.follow_up(dispatcher, tracker, key)

    @abstractmethod
    def follow_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, key: str) -> Events:
        """Reply about topic `key`."""


class ActionTellMore(FollowUp):
    """Gives the detail of the current topic, once."""

    def name(self) -> str:
        return "action_tell_more"

    def follow_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, key: str) -> Events:
        if f"{key} detail" in told(tracker):
            say_all_told(dispatcher, key)
            return []
        utter(dispatcher, composer().detail(key, country(tracker)))
        return remember_telling(tracker, f"{key} detail")


class ActionSimplify(FollowUp):
    """Says the current answer in the plainest words, once."""

    def name(self) -> str:
        return "action_simplify"

    def follow_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, key: str) -> Events:
        before = told(tracker)
        if f"{key} simpler" in before:
            say_all_told(dispatcher, key)
            return []
        utter(dispatcher, composer().answer(key, len(before), country(tracker), "simpler"))
        return remember_telling(tracker, f"{key} simpler")


class ActionRepeat(FollowUp):
    """Says the current answer again, word for word, because it was asked for."""

    def name(self) -> str:
        return "action_repeat"

    def follow_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, key: str) -> Events:
        utter(dispatcher, composer().answer(key, len(told(tracker)), country(tracker)))
        return []


class ActionShowSources(GuideAction):
    """Shows what the current answer rests on."""

    def name(self) -> str:
        return "action_show_sources"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        utter(dispatcher, composer().sources(current_topic(tracker) or "about_our_sources"))
        return []


class ActionShowRelated(GuideAction):
    """Offers questions to go on with."""

    def name(self) -> str:
        return "action_show_related"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        utter(dispatcher, composer().related(current_topic(tracker), told_topics(tracker)))
        return []
