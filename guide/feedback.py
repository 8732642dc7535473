"""Whether an answer helped: the two buttons, and what a pressed one says."""

import json
from dataclasses import dataclass

from guide.reply import Button, Reply

_PAYLOAD = "/feedback"


@dataclass(frozen=True)
class Feedback:
    """A person's judgement of the answer on a topic."""

    topic: str
    helpful: bool


def feedback_buttons(reply: Reply) -> tuple[Button, ...]:
    """Return "This helped" and "This did not help" for an answer; nothing for other replies.

    They are no part of the reply's own buttons: each channel shows them in its own, small way. A
    pressed one goes to the same place as every button, and `channels.turn` knows it.
    """
    if reply.kind != "answer" or reply.topic is None:
        return ()
    return tuple(
        Button(title, _PAYLOAD + json.dumps({"topic": reply.topic, "helpful": helpful}))
        for title, helpful in (("This helped", True), ("This did not help", False))
    )


def read_feedback(payload: str) -> Feedback | None:
    """Return what the payload of a pressed button says; None if it is another button's."""
    if not payload.startswith(_PAYLOAD + "{"):
        return None
    try:
        data = json.loads(payload.removeprefix(_PAYLOAD))
        return Feedback(str(data["topic"]), data["helpful"] is True)
    except (ValueError, KeyError):
        return None
