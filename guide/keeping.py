"""What of a conversation's events is kept, and what goes before anything is written.

Events are plain data as Rasa's own `as_dict` gives them.
"""

from collections.abc import Mapping
from typing import Any

from guide.redaction import redact

USER = "user"

# With these, what the person wrote is not kept: only that it was said, when, and of what kind.
# After a failure of the assessment nobody knows what it was.
UNKEPT_LEVELS = frozenset({"crisis", "error"})

RANKING = 5
_INTENT = ("name", "confidence")
_ENTITY = ("entity", "value")
_SAFETY = ("level", "category", "detectors", "score")


def kept_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of an event.

    Of a message: its text, redacted, or none of it in a crisis; its intent, safety and the
    entities that the dialogue needs; whether it was a button. Of all else: everything, since the
    assistant's words were written beforehand and slots hold no words of a person.
    """
    if event.get("event") != USER:
        return dict(event)
    parsed = event.get("parse_data") or {}
    safety = parsed.get("safety") or {}
    pressed = (event.get("metadata") or {}).get("button") is True
    text: str | None = event.get("text")
    ranking = [_only(entry, _INTENT) for entry in (parsed.get("intent_ranking") or [])[:RANKING]]
    entities = [_only(entity, _ENTITY) for entity in parsed.get("entities") or []]
    if safety.get("level") in UNKEPT_LEVELS:
        text, ranking, entities = None, [], []
    elif not pressed:
        text = redact(text or "")
        entities = [
            {name: redact(value) if isinstance(value, str) else value for name, value in e.items()}
            for e in entities
        ]
    return {
        "event": USER,
        "timestamp": event.get("timestamp"),
        "input_channel": event.get("input_channel"),
        "message_id": event.get("message_id"),
        "metadata": {"button": pressed},
        "text": text,
        "parse_data": {
            "intent": _only(parsed.get("intent"), _INTENT),
            "intent_ranking": ranking,
            "entities": entities,
            "safety": _only(safety, _SAFETY),
        },
    }


def _only(given: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in (given or {})}
