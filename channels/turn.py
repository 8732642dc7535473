"""One turn, the same for every channel: the person's message in, replies of the contract out.

Every failure path ends in the static safety message; nothing of the message reaches a log.
"""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Dict, List, Optional

from rasa.core.actions.action import create_bot_utterance
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker

from guide.clinic import Clinic, fill
from guide.content import load_yaml
from guide.paths import CONTENT, DATA
from guide.reply import Reply

logger = logging.getLogger(__name__)

REMEMBERED_CONVERSATIONS = 10_000


class ReplyCollector(OutputChannel):
    """Collects the replies of one turn; stock output channels drop their metadata."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.replies: List[Reply] = []

    def name(self) -> str:  # type: ignore[override]  # Rasa calls it on the instance
        """Return the name of the input channel that the replies go back to."""
        return self.channel

    async def send_response(self, recipient_id: str, message: Dict[str, Any]) -> None:
        """Keep the message as a reply."""
        self.replies.append(Reply.from_message(message))


@dataclass(frozen=True)
class Incoming:
    """A message as a channel hands it over.

    Attributes:
        conversation: an identity that the server made, prefixed with the channel's name.
        text: what the person typed, or the payload of a button that the server resolved.
        is_button: whether `text` is such a payload.
    """

    conversation: str
    text: str
    is_button: bool = False


class Turns:
    """Takes turns for one channel."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.clinic = Clinic.load(CONTENT)
        self.static_message = static_message(self.clinic)
        # When each conversation was last told that this is a program; spares a look into the store.
        self._disclosed: OrderedDict[str, float] = OrderedDict()

    async def take(self, agent: Agent, incoming: Incoming) -> List[Reply]:
        """Return the replies to one message; at least one, and never an exception."""
        collector = ReplyCollector(self.channel)
        try:
            message = UserMessage(
                text=incoming.text,
                output_channel=collector,
                sender_id=incoming.conversation,
                input_channel=self.channel,
                metadata={"button": incoming.is_button},
            )
            await agent.handle_message(message)
            disclosure = await self._disclosure(agent, incoming.conversation, collector.replies)
        except Exception as error:
            # The type alone: a message could quote what the person wrote.
            logger.error("a turn failed with %s", type(error).__name__)
            return [*collector.replies, self.static_message]
        return [*disclosure, *(collector.replies or [self.static_message])]

    async def _disclosure(
        self, agent: Agent, conversation: str, replies: List[Reply]
    ) -> List[Reply]:
        """Return the disclosure if it is due: at the start, after hours, after days of absence.

        A crisis reply discloses by itself, and nothing may stand before its number.
        """
        now = time.time()
        last = self._disclosed.get(conversation)
        if last is None:
            last = last_disclosure(await agent.tracker_store.retrieve(conversation))
        if any(reply.kind == "crisis" for reply in replies):
            return []
        age = now - last if last is not None else None
        if age is not None and age < self.clinic.settings["disclosure_hours"] * 3600:
            self._remember(conversation, last or now)
            return []
        full = age is None or age > self.clinic.settings["disclosure_days"] * 86400
        reply = await self._say(
            agent, conversation, "utter_disclosure" if full else "utter_disclosure_reminder"
        )
        self._remember(conversation, now)
        return [reply]

    async def _say(self, agent: Agent, conversation: str, response: str) -> Reply:
        """Return `response` and keep it in the conversation, without an action in between."""
        async with agent.lock_store.lock(conversation):
            tracker = await agent.tracker_store.get_or_create_tracker(conversation)
            message = await agent.nlg.generate(response, tracker, self.channel)
            utterance = create_bot_utterance({**message, "utter_action": response})
            tracker.update(utterance)
            await agent.tracker_store.save(tracker)
        return Reply.from_message(utterance.message())

    def _remember(self, conversation: str, when: float) -> None:
        self._disclosed[conversation] = when
        self._disclosed.move_to_end(conversation)
        if len(self._disclosed) > REMEMBERED_CONVERSATIONS:
            self._disclosed.popitem(last=False)


def last_disclosure(tracker: Optional[DialogueStateTracker]) -> Optional[float]:
    """Return the time (seconds since the epoch) of the last disclosure in the conversation."""
    times = [
        event.timestamp
        for event in (tracker.events if tracker else [])
        if isinstance(event, BotUttered) and event.metadata.get("kind") == "disclosure"
    ]
    return max(times, default=None)


def static_message(clinic: Clinic) -> Reply:
    """Return the message for every failure: it names the crisis line and needs nothing else."""
    responses = load_yaml(DATA / "dialogue" / "fallback.yml")["responses"]
    text = responses["utter_error"][0]["text"]
    return Reply(kind="error", text=fill(" ".join(text.split()), clinic.placeholders()))
