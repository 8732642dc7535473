"""Buttons with opaque ids: what a button does never leaves the server."""

import base64
import hashlib
import hmac
from typing import Iterable, Iterator, List, Optional, Sequence

from rasa.core.agent import Agent
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker

from guide.feedback import feedback_buttons
from guide.reply import Button, Reply


class Buttons:
    """Makes button ids and finds again what they stand for.

    Nothing is kept for it: an id is a keyed fingerprint of conversation and payload, and is looked
    for among the buttons that the conversation offered. `always` are good without being offered.
    """

    def __init__(self, secret: bytes, always: Sequence[Button] = ()) -> None:
        self._secret = secret
        self.always: List[Button] = list(always)

    def id(self, conversation: str, payload: str) -> str:
        """Return the id of a button: 24 characters, unguessable, of no use elsewhere."""
        message = f"button\n{conversation}\n{payload}".encode()
        digest = hmac.new(self._secret, message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode()

    async def resolve(self, agent: Agent, conversation: str, id: str) -> Optional[Button]:
        """Return the button with this id, if this conversation offered one."""
        latest = await agent.tracker_store.retrieve(conversation)
        found = self._with_id(conversation, id, [*self.always, *offered_buttons(latest)])
        if found is None:
            whole = await full_tracker(agent, conversation)
            found = self._with_id(conversation, id, offered_buttons(whole))
        return found

    def _with_id(self, conversation: str, id: str, offered: Iterable[Button]) -> Optional[Button]:
        for candidate in offered:
            known = self.id(conversation, candidate.payload)
            if hmac.compare_digest(known.encode(), id.encode()):
                return candidate
        return None


def offered_buttons(tracker: Optional[DialogueStateTracker]) -> Iterator[Button]:
    """Yield every button that the conversation offered, those to judge an answer included."""
    for event in tracker.events if tracker else []:
        if isinstance(event, BotUttered) and event.text:
            reply = reply_of(event)
            yield from reply.buttons
            yield from feedback_buttons(reply)


def reply_of(event: BotUttered) -> Reply:
    """Return the reply that an event of the tracker holds."""
    return Reply.from_message({**event.metadata, **event.data, "text": event.text})


async def full_tracker(agent: Agent, conversation: str) -> Optional[DialogueStateTracker]:
    """Return the conversation over all its sessions, or None if there is none."""
    return await agent.tracker_store.retrieve_full_tracker(conversation)
