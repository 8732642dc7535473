"""What happens when a question was not understood, has no answer, or got the wrong one."""

from dataclasses import asdict

from rasa_sdk import Tracker
from rasa_sdk.events import AllSlotsReset, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, GuideAction, composer, meet_fear
from actions.memory import country, misses, remember_miss
from actions.topics import candidate_topics


class ActionClarify(GuideAction):
    """Offers up to three topics; the second miss in a row adds the way to a person."""

    def name(self) -> str:
        return "action_clarify"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        meet_fear(dispatcher, tracker.latest_message)
        topics = candidate_topics(tracker.latest_message)
        buttons = composer().choices(topics, misses(tracker))
        dispatcher.utter_message(
            response="utter_clarify_one" if len(topics) == 1 else "utter_clarify_intro",
            buttons=[asdict(button) for button in buttons],
        )
        return remember_miss(tracker)


class ActionUnknown(GuideAction):
    """Says that there is no reviewed information; the second miss in a row points to a person."""

    def name(self) -> str:
        return "action_unknown"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        again = misses(tracker) > 0
        dispatcher.utter_message(response="utter_unknown_again" if again else "utter_unknown")
        return remember_miss(tracker)


class ActionOutside(GuideAction):
    """Says what helps with a question outside the library; the second miss points to a person."""

    def name(self) -> str:
        return "action_outside"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        area = tracker.latest_message["response_selector"]["out_of_scope"]["response"]
        again = misses(tracker) > 0
        dispatcher.utter_message(response="utter_unknown_again" if again else area["utter_action"])
        return remember_miss(tracker)


class ActionComplaint(GuideAction):
    """Takes a complaint: a second try first, then a person."""

    def name(self) -> str:
        return "action_complaint"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        again = misses(tracker) > 0
        dispatcher.utter_message(response="utter_complaint_again" if again else "utter_complaint")
        return remember_miss(tracker)


class ActionStartOver(GuideAction):
    """Forgets what was talked about; the person's country stays, for the crisis lines."""

    def name(self) -> str:
        return "action_start_over"

    def reply(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        dispatcher.utter_message(response="utter_start_over")
        return [AllSlotsReset(), SlotSet("country", country(tracker))]
