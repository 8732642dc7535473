"""Dialogues as clinicians write them: who says what, and what must or must not come back."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guide.content import ContentError, load_yaml, require
from guide.servers import Assistant

EXPECTATIONS = (
    "kind",
    "not_kind",
    "topic",
    "not_topic",
    "says",
    "never_says",
    "buttons",
    "category",
)


@dataclass(frozen=True)
class Step:
    """One message of the person, typed (`me`) or a pressed button (`press`), and what must come."""

    me: str | None
    press: str | None
    expected: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Dialogue:
    """One conversation of a test file."""

    name: str
    path: Path
    steps: tuple[Step, ...]
    fault: str | None = None
    """Why the assistant is known not to hold this conversation yet; None when it should."""


@dataclass(frozen=True)
class Exchange:
    """What was said and what came back; `wrong` tells what did not hold."""

    said: str
    replies: tuple[Mapping[str, Any], ...]
    wrong: tuple[str, ...]


def load_dialogues(path: Path) -> list[Dialogue]:
    """Read the dialogues of one file.

    Raises:
        ContentError: the file is damaged or a step has an unknown key.
    """
    loaded = []
    for entry in require(load_yaml(path), "dialogues", list, path, ""):
        name = require(entry, "name", str, path, "dialogues")
        steps = []
        for number, step in enumerate(require(entry, "steps", list, path, name), 1):
            unknown = set(step) - {"me", "press", *EXPECTATIONS}
            if unknown or ("me" in step) == ("press" in step):
                raise ContentError(
                    path,
                    f"{name}, step {number}",
                    f"has unknown keys {sorted(unknown)}" if unknown else "needs one of me, press",
                    f"a step has me or press, and any of {', '.join(EXPECTATIONS)}",
                )
            expected = {
                key: tuple(map(str, step[key] if isinstance(step[key], list) else [step[key]]))
                for key in EXPECTATIONS
                if key in step
            }
            steps.append(Step(step.get("me"), step.get("press"), expected))
        loaded.append(Dialogue(name, path, tuple(steps), entry.get("fault")))
    return loaded


def play(dialogue: Dialogue, assistant: Assistant) -> list[Exchange]:
    """Play the dialogue with a running assistant, to its end or to the first thing that is wrong.

    Raises:
        ServerError: the assistant cannot be reached.
    """
    sender = f"dialogue-{uuid.uuid4().hex}"
    exchanges: list[Exchange] = []
    for step in dialogue.steps:
        if step.press is not None:
            offered = {
                button["title"]: button["payload"]
                for exchange in exchanges[-1:]
                for reply in exchange.replies
                for button in reply.get("buttons", ())
            }
            if step.press not in offered:
                wrong = (f"no button “{step.press}” was offered, only {sorted(offered)}",)
                exchanges.append(Exchange(f"[{step.press}]", (), wrong))
                break
            said, turn = f"[{step.press}]", assistant.press(sender, offered[step.press])
        else:
            said, turn = step.me or "", assistant.send(sender, step.me or "")
        replies = tuple(turn.replies)
        exchanges.append(Exchange(said, replies, tuple(failures(step, replies))))
        if exchanges[-1].wrong:
            break
    return exchanges


def failures(step: Step, replies: tuple[Mapping[str, Any], ...]) -> list[str]:
    """Return which expectations of `step` the replies do not meet."""
    kinds = {reply["kind"] for reply in replies}
    topics = {reply["topic"] for reply in replies if reply.get("topic")}
    categories = {reply["category"] for reply in replies if reply.get("category")}
    buttons = {button["title"] for reply in replies for button in reply.get("buttons", ())}
    text = "\n".join(reply["text"] for reply in replies).lower()
    found: list[str] = []
    for key, values in step.expected.items():
        wanted = set(values)
        if key == "kind" and not wanted <= kinds:
            found.append(f"kind should be {sorted(wanted)}, is {sorted(kinds)}")
        if key == "not_kind" and wanted & kinds:
            found.append(f"kind must not be {sorted(wanted & kinds)}")
        if key == "topic" and not wanted <= topics:
            found.append(f"topic should be {sorted(wanted)}, is {sorted(topics)}")
        if key == "not_topic" and wanted & topics:
            found.append(f"topic must not be {sorted(wanted & topics)}")
        if key == "category" and not wanted <= categories:
            found.append(f"category should be {sorted(wanted)}, is {sorted(categories)}")
        if key == "buttons" and not wanted <= buttons:
            found.append(f"buttons should offer {sorted(wanted)}, offer {sorted(buttons)}")
        if key == "says":
            found += [f"should say “{word}”" for word in values if word.lower() not in text]
        if key == "never_says":
            found += [f"must not say “{word}”" for word in values if word.lower() in text]
    return found
