"""Conversations as the website shows them: replies, buttons, whom to call, history, deletion."""

import re
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from rasa.core.agent import Agent
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from channels.buttons import Buttons, full_tracker, reply_of
from guide.answer import SOURCES, topic_button
from guide.clinic import Clinic, CrisisLines
from guide.feedback import feedback_buttons
from guide.reply import Button, Reply
from guide.topics import TopicLibrary

# Replies that come with buttons to call or text somebody.
WITH_CONTACTS = frozenset({"crisis", "check_in", "error", "notice"})

# Which number comes first, by the category of a crisis: a phrase of the crisis lines that holds it.
_FIRST = {"medical_emergency": "emergency", "means": "emergency", "abuse": "abuse_line"}

HISTORY_MESSAGES = 200


class Conversations:
    """Renders replies for the website and finds again what a conversation offered."""

    def __init__(self, secret: bytes, clinic: Clinic, library: TopicLibrary) -> None:
        self._clinic = clinic
        self.starters: List[Button] = [
            topic_button(library[key]) for key in clinic.settings["starters"] if key in library
        ]
        self._buttons = Buttons(secret, self.starters)

    def buttons(self, conversation: str, buttons: Sequence[Button]) -> List[Dict[str, str]]:
        """Return buttons as `{"id", "title", "type"}`; the payload stays here.

        `type` is `topic` for a question of the library, else `action`.
        """
        return [
            {
                "id": self._buttons.id(conversation, button.payload),
                "title": button.title,
                "type": "topic" if button.payload.startswith("/show_topic") else "action",
            }
            for button in buttons
        ]

    def render(
        self, conversation: str, reply: Reply, country: Optional[str] = None
    ) -> Dict[str, Any]:
        """Return a reply as JSON data, with opaque buttons and, where needed, whom to call."""
        data = reply.as_dict()
        if reply.buttons:
            # A reply that brings its sources needs no button to ask for them.
            buttons = [b for b in reply.buttons if not (reply.sources and b == SOURCES)]
            data["buttons"] = self.buttons(conversation, buttons)
        judgements = feedback_buttons(reply)
        if judgements:
            data["feedback"] = self.buttons(conversation, judgements)
        if reply.kind in WITH_CONTACTS:
            data["contacts"] = contacts(self.lines(country), reply.category)
        return data

    def lines(self, country: Optional[str]) -> CrisisLines:
        """Return the crisis lines of a country, or those of the clinic's own."""
        return self._clinic.lines.get(country or "", self._clinic.lines[self._clinic.country])

    async def resolve(self, agent: Agent, conversation: str, button: str) -> Optional[Button]:
        """Return the button with this id, if this conversation offered one."""
        return await self._buttons.resolve(agent, conversation, button)

    async def country(self, agent: Agent, conversation: str) -> Optional[str]:
        """Return the country that the person named."""
        tracker = await agent.tracker_store.retrieve(conversation)
        country: Optional[str] = tracker.get_slot("country") if tracker else None
        return country

    async def history(self, agent: Agent, conversation: str) -> List[Dict[str, Any]]:
        """Return what was said, oldest first: `{"from": "person", "text"}` or `{"from", "reply"}`.

        A pressed button reads as its title. The disclosure of a turn comes first, as it was shown.
        """
        tracker = await full_tracker(agent, conversation)
        if tracker is None:
            return []
        country = tracker.get_slot("country")
        titles = {button.payload: button.title for button in self.starters}
        messages: List[Dict[str, Any]] = []
        for text, replies in _turns(tracker):
            if text:
                messages.append({"from": "person", "text": titles.get(text, text)})
            for reply in replies:
                rendered = self.render(conversation, reply, country)
                messages.append({"from": "guide", "reply": rendered})
                titles.update({button.payload: button.title for button in reply.buttons})
        return messages[-HISTORY_MESSAGES:]


def _turns(tracker: DialogueStateTracker) -> Iterator[Tuple[Optional[str], List[Reply]]]:
    """Yield the turns: what the person said (None before their first word), and the replies."""
    text: Optional[str] = None
    replies: List[Reply] = []
    for event in tracker.events:
        if isinstance(event, UserUttered):
            yield text, _disclosure_first(replies)
            text, replies = event.text, []
        elif isinstance(event, BotUttered) and event.text:
            replies.append(reply_of(event))
    yield text, _disclosure_first(replies)


def _disclosure_first(replies: List[Reply]) -> List[Reply]:
    return sorted(replies, key=lambda reply: reply.kind != "disclosure")


def contacts(lines: CrisisLines, category: Optional[str]) -> List[Dict[str, str]]:
    """Return whom to call or text, the most fitting first: `{"label", "tel", "sms", "number"}`.

    `number` is the number to call as people write it; `tel` and `sms` are absent where there is
    none.
    """
    wanted = re.sub(r"\D", "", lines.values.get(_FIRST.get(category or "", ""), ""))
    entries = sorted(lines.numbers, key=lambda entry: not wanted or entry["tel"] != wanted)
    return [
        {
            key: str(value)
            for key, value in (*entry.items(), ("number", written(entry.get("tel"))))
            if value
        }
        for entry in entries
    ]


def written(digits: Optional[str]) -> Optional[str]:
    """Return a number as people write it; those of eleven digits that begin with 1 get dashes."""
    if digits and re.fullmatch(r"1\d{10}", digits):
        return f"{digits[0]}-{digits[1:4]}-{digits[4:7]}-{digits[7:]}"
    return digits
