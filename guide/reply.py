"""The contract of a reply: what every message to a person carries, whatever the channel."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

KINDS = frozenset(
    {
        "disclosure",
        "answer",
        "detail",
        "sources",
        "clarify",
        "unknown",
        "boundary",
        "check_in",
        "crisis",
        "smalltalk",
        "control",
        "error",
    }
)

CONFIRM_DELETION = "/confirm_deletion"
"""The payload of the button that deletes the conversation; the channel itself obeys it."""


@dataclass(frozen=True)
class Button:
    """A choice offered with a reply.

    `payload` is a Rasa intent payload such as `/tell_more`; only channels turn it into a message,
    a person can never type it.
    """

    title: str
    payload: str


@dataclass(frozen=True)
class Source:
    """One work that a topic rests on; `read` says how much of it was read (yes, partly)."""

    key: str
    title: str
    publisher: str
    date: str
    url: str
    kind: str
    read: str
    checked: str


@dataclass(frozen=True)
class Reply:
    """One message to a person. `text` alone is complete and can be shown as plain text."""

    kind: str
    text: str
    topic: str | None = None
    title: str | None = None
    category: str | None = None
    sources: tuple[Source, ...] = ()
    buttons: tuple[Button, ...] = ()
    review: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown reply kind {self.kind!r}; use one of {sorted(KINDS)}")
        if not self.text.strip():
            raise ValueError(f"a reply of kind {self.kind!r} has no text")

    def as_dict(self) -> dict[str, Any]:
        """Return the reply as plain JSON data, without the fields that do not apply."""
        return {key: value for key, value in asdict(self).items() if value not in (None, ())}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> "Reply":
        """Return the reply that a bot message carries (a dict as Rasa hands it to output channels).

        Messages of Rasa's own, which know no kind, become `control`.

        Raises:
            ValueError: the message has no text or an unknown kind.
        """
        return cls(
            kind=message.get("kind") or "control",
            text=message.get("text") or "",
            topic=message.get("topic"),
            title=message.get("title"),
            category=message.get("category"),
            sources=tuple(Source(**source) for source in message.get("sources") or ()),
            buttons=tuple(
                Button(button["title"], button["payload"])
                for button in message.get("buttons") or ()
            ),
            review=message.get("review"),
        )
