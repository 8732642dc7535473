"""One turn, the same for every channel: the person's message in, replies of the contract out.

Every failure path ends in the static safety message; nothing of the message reaches a log.
"""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Set, Tuple

from rasa.core.actions.action import create_bot_utterance
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from channels import action_results as action_results  # it takes the place of Rasa's check
from channels.recording import Recorder
from guide.clinic import Clinic, fill
from guide.content import load_yaml
from guide.feedback import Feedback, read_feedback
from guide.forgetting import forgetting
from guide.gaps import gap_store
from guide.notice import off_reply
from guide.paths import CONTENT, DATA
from guide.reply import CONFIRM_DELETION, Reply
from guide.switch import Switch

logger = logging.getLogger(__name__)

REMEMBERED_CONVERSATIONS = 10_000
REMINDED_AFTER = (1, 3)
"""Turns after a crisis reply that end with a line on help: soon, once more, then no longer."""


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


@dataclass
class Memory:
    """What was said in the latest turns of a conversation.

    Attributes:
        disclosed: when it was told what it talks to (seconds since the epoch).
        turns_since_crisis: messages after the latest crisis reply, the one being answered included.
    """

    disclosed: Optional[float] = None
    turns_since_crisis: Optional[int] = None


@dataclass(frozen=True)
class Incoming:
    """A message as a channel hands it over.

    Attributes:
        conversation: an identity that the server made, prefixed with the channel's name.
        text: what the person typed, or the payload of a button that the server resolved.
        is_button: whether `text` is such a payload.
        id: what the channel tells the message from others of the conversation by.
        again: whether it was begun before and not answered; then it may be stored already.
    """

    conversation: str
    text: str
    is_button: bool = False
    id: Optional[str] = None
    again: bool = False


class Turns:
    """Takes turns for one channel; they are recorded unless only tools and tests use it."""

    def __init__(self, channel: str, recorded: bool = True) -> None:
        self.channel = channel
        self.recorder = Recorder(gap_store()) if recorded else None
        self.clinic = Clinic.load(CONTENT)
        self.static_message = written("fallback.yml", "utter_error", self.clinic)
        self.notice = off_reply(self.clinic)
        self.switch = Switch.from_environment()
        self._thanks = {
            True: written("control.yml", "utter_feedback_helpful", self.clinic),
            False: written("control.yml", "utter_feedback_unhelpful", self.clinic),
        }
        self._deletion = {
            True: written("about_me.yml", "utter_data_deleted", self.clinic),
            False: written("about_me.yml", "utter_data_not_deleted", self.clinic),
        }
        self._forgetting = forgetting()
        # Conversations with the topics whose answer was judged: it counts once.
        self._judged: Set[Tuple[str, str]] = set()
        # When each conversation was last told what it talks to (seconds since the epoch), or None.
        self._disclosures: OrderedDict[str, Optional[float]] = OrderedDict()

    async def take(self, agent: Agent, incoming: Incoming) -> List[Reply]:
        """Return the replies to one message; at least one, and never an exception."""
        if incoming.is_button and incoming.text == CONFIRM_DELETION:
            return [await self._delete(incoming.conversation)]
        if await self.switch.is_off():
            return [self.notice]
        feedback = read_feedback(incoming.text) if incoming.is_button else None
        if feedback is not None:
            return [self._judge(agent, incoming.conversation, feedback)]
        collector = ReplyCollector(self.channel)
        message = UserMessage(
            text=incoming.text,
            output_channel=collector,
            sender_id=incoming.conversation,
            input_channel=self.channel,
            message_id=incoming.id,
            metadata={"button": incoming.is_button},
        )
        before: List[Reply] = []
        after: List[Reply] = []
        try:
            if incoming.again:
                said = answered(
                    await agent.tracker_store.retrieve(incoming.conversation), incoming.id
                )
                if said:
                    return said
            await agent.handle_message(message)
            before, after = await self._accompany(agent, incoming.conversation, collector.replies)
            replies = collector.replies or [self.static_message]
        except Exception as error:
            # The type alone: a message could quote what the person wrote.
            logger.error("a turn failed with %s", type(error).__name__)
            replies = collector.replies or await self._crisis_reply(agent, incoming)
            replies = replies if _is_crisis(replies) else [*replies, self.static_message]
        if self.recorder:
            self.recorder.turn(agent, message, replies)
        return [*before, *replies, *after]

    async def forget(self, conversation: str) -> None:
        """Delete a conversation everywhere. Raises when that could not be done."""
        if self.recorder:
            await self.recorder.drain()  # a line still to be written would outlive it
        await self._forgetting.forget(conversation)
        self._disclosures.pop(conversation, None)

    async def _delete(self, conversation: str) -> Reply:
        """Delete the conversation because the person pressed the button, and say so."""
        try:
            await self.forget(conversation)
        except Exception as error:
            logger.error("a conversation could not be deleted: %s", type(error).__name__)
            return self._deletion[False]
        return self._deletion[True]

    async def _crisis_reply(self, agent: Agent, incoming: Incoming) -> List[Reply]:
        """Return the crisis reply if the message calls for it; it needs neither store nor lock.

        This is for a turn that failed, so nothing of it can be kept; and no failure here counts.
        """
        if incoming.is_button:
            return []
        try:
            safety = (await agent.parse_message(incoming.text))["safety"]
            if safety["level"] != "crisis":
                return []
            nobody = DialogueStateTracker(incoming.conversation, agent.domain.slots)
            response = f"utter_crisis/{safety['category']}"
            message = await agent.nlg.generate(response, nobody, self.channel)
            return [Reply.from_message(message)]
        except Exception as error:
            logger.error("a failed turn could not be assessed: %s", type(error).__name__)
            return []

    def _judge(self, agent: Agent, conversation: str, feedback: Feedback) -> Reply:
        """Record whether an answer helped, once a conversation and topic, and return the thanks."""
        judged = (conversation, feedback.topic)
        if self.recorder and judged not in self._judged:
            self.recorder.feedback(agent, conversation, feedback)
            if len(self._judged) >= REMEMBERED_CONVERSATIONS:
                self._judged.clear()
            self._judged.add(judged)
        return self._thanks[feedback.helpful]

    async def _accompany(
        self, agent: Agent, conversation: str, replies: List[Reply]
    ) -> Tuple[List[Reply], List[Reply]]:
        """Return what is said before and after the replies.

        Before: the disclosure if it is due, at the start, after hours, after days of absence. A
        crisis reply discloses by itself, and nothing may stand before its number.
        After: for some turns after a crisis reply, that help is still there.
        """
        # Read each time: the turn before may have been another process's.
        memory = remembered(await agent.tracker_store.retrieve(conversation))
        if memory.disclosed is None:
            memory.disclosed = await self._last_disclosure(agent, conversation)
        before: List[Reply] = []
        after: List[Reply] = []
        if not _is_crisis(replies):
            due = self._due_disclosure(memory)
            if due:
                before = [await self.say(agent, conversation, due)]
                memory.disclosed = time.time()
            if memory.turns_since_crisis in REMINDED_AFTER:
                after = [await self.say(agent, conversation, "utter_help_is_there")]
        self._disclosures[conversation] = memory.disclosed
        self._disclosures.move_to_end(conversation)
        if len(self._disclosures) > REMEMBERED_CONVERSATIONS:
            self._disclosures.popitem(last=False)
        return before, after

    async def _last_disclosure(self, agent: Agent, conversation: str) -> Optional[float]:
        """Return when this conversation was last told what it talks to, if not in its latest turns.

        A long conversation is read in full once a process.
        """
        if conversation in self._disclosures:
            return self._disclosures[conversation]
        return remembered(await agent.tracker_store.retrieve_full_tracker(conversation)).disclosed

    def _due_disclosure(self, memory: Memory) -> Optional[str]:
        """Return the response that discloses, if it is due now."""
        if memory.disclosed is None:
            return "utter_disclosure"
        age = time.time() - memory.disclosed
        if age > self.clinic.settings["disclosure_days"] * 86400:
            return "utter_disclosure"
        if age > self.clinic.settings["disclosure_hours"] * 3600:
            return "utter_disclosure_reminder"
        return None

    async def say(self, agent: Agent, conversation: str, response: str) -> Reply:
        """Return `response` and keep it in the conversation, without an action in between.

        While the assistant is off it is the notice, which is kept nowhere.
        """
        if await self.switch.is_off():
            return self.notice
        async with agent.lock_store.lock(conversation):
            tracker = await agent.tracker_store.get_or_create_tracker(conversation)
            message = await agent.nlg.generate(response, tracker, self.channel)
            utterance = create_bot_utterance({**message, "utter_action": response})
            tracker.update(utterance)
            await agent.tracker_store.save(tracker)
        return Reply.from_message(utterance.message())


def remembered(tracker: Optional[DialogueStateTracker]) -> Memory:
    """Return what the stored conversation tells."""
    memory = Memory()
    crisis_now = False
    for event in tracker.events if tracker else []:
        if isinstance(event, UserUttered):
            crisis_now = False
            if memory.turns_since_crisis is not None:
                memory.turns_since_crisis += 1
        elif isinstance(event, BotUttered):
            kind = event.metadata.get("kind")
            if kind == "disclosure":
                memory.disclosed = event.timestamp
            crisis_now = crisis_now or kind == "crisis"
            if crisis_now:
                memory.turns_since_crisis = 0
    return memory


def answered(tracker: Optional[DialogueStateTracker], message_id: Optional[str]) -> List[Reply]:
    """Return what was said to a message that is stored already; nothing if it is not."""
    replies: List[Reply] = []
    is_this = False
    for event in tracker.events if tracker else []:
        if isinstance(event, UserUttered):
            is_this = event.message_id == message_id
        elif isinstance(event, BotUttered) and is_this and event.text:
            replies.append(Reply.from_message({**event.metadata, **event.data, "text": event.text}))
    # It was said first, though it is stored last.
    return sorted(replies, key=lambda reply: reply.kind != "disclosure")


def _is_crisis(replies: List[Reply]) -> bool:
    return any(reply.kind == "crisis" for reply in replies)


def written(file: str, response: str, clinic: Clinic) -> Reply:
    """Return a response of data/dialogue as it stands: said without Rasa, whatever has failed."""
    said = load_yaml(DATA / "dialogue" / file)["responses"][response][0]
    text = fill(" ".join(said["text"].split()), clinic.placeholders())
    return Reply(kind=said["metadata"]["kind"], text=text)
