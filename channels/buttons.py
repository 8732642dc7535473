"""Buttons with opaque ids: what a button does never leaves the server."""

import base64
import hashlib
import hmac
from typing import Iterator, List, Optional, Sequence

from rasa.core.agent import Agent
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker

from guide.reply import Button


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
        tracker = await full_tracker(agent, conversation)
        for candidate in [*self.always, *offered_buttons(tracker)]:
            known = self.id(conversation, candidate.payload)
            if hmac.compare_digest(known.encode(), id.encode()):
                return candidate
        return None


def offered_buttons(tracker: Optional[DialogueStateTracker]) -> Iterator[Button]:
    """Yield every button that the conversation offered."""
    for event in tracker.events if tracker else []:
        if isinstance(event, BotUttered):
            for button in event.data.get("buttons") or []:
                yield Button(button["title"], button["payload"])


async def full_tracker(agent: Agent, conversation: str) -> Optional[DialogueStateTracker]:
    """Return the conversation over all its sessions, or None if there is none."""
    return await agent.tracker_store.retrieve_full_tracker(conversation)
