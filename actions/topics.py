"""Answering a topic, and what can be asked about the answer."""

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, GuideAction, composer, utter
from actions.memory import answered, country, current_topic, remember_answers, remember_miss


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


class ActionAnswer(GuideAction):
    """Answers the topic or topics asked for; a topic asked again is told in other words."""

    def name(self) -> str:
        return "action_answer"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        keys = asked_topics(tracker.latest_message)
        before = answered(tracker)
        for key in keys:
            if composer().withheld(key):
                dispatcher.utter_message(response="utter_unknown")
                return remember_miss(tracker)
        for key in keys:
            said = len(before)
            tellings = (composer().answer, composer().detail_again, composer().simpler)
            telling = tellings[before.count(key) % len(tellings)]
            utter(dispatcher, telling(key, said, country(tracker)))
            before.append(key)
        safety = tracker.latest_message.get("safety") or {}
        if safety.get("level") == "check_in":
            dispatcher.utter_message(response=f"utter_check_in/{safety['category']}")
        return remember_answers(tracker, keys)


class ActionTellMore(GuideAction):
    """Gives the detail of the topic that is being talked about."""

    def name(self) -> str:
        return "action_tell_more"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        key = current_topic(tracker)
        if key is None:
            dispatcher.utter_message(response="utter_nothing_to_continue")
            return []
        utter(dispatcher, composer().detail(key, country(tracker)))
        return []


class ActionSimplify(GuideAction):
    """Says the current answer in the plainest words."""

    def name(self) -> str:
        return "action_simplify"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        key = current_topic(tracker)
        if key is None:
            dispatcher.utter_message(response="utter_nothing_to_continue")
            return []
        utter(dispatcher, composer().simpler(key, len(answered(tracker)), country(tracker)))
        return []


class ActionRepeat(GuideAction):
    """Says the current answer again, word for word, because it was asked for."""

    def name(self) -> str:
        return "action_repeat"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        key = current_topic(tracker)
        if key is None:
            dispatcher.utter_message(response="utter_nothing_to_continue")
            return []
        utter(dispatcher, composer().answer(key, len(answered(tracker)), country(tracker)))
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
        utter(dispatcher, composer().related(current_topic(tracker), answered(tracker)))
        return []
