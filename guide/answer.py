"""Composing what is said about a topic: answer, detail, simpler words, sources, related topics."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from guide.clinic import Clinic, fill
from guide.content import ContentError, load_yaml
from guide.reply import Button, Reply
from guide.topics import SAFETY_KEYS, Topic, TopicLibrary

SafetyLanguage = Mapping[str, Sequence[str]]
"""Wordings of each safety sentence, by its key."""


def load_safety_language(path: Path) -> SafetyLanguage:
    """Read the wordings of every safety sentence.

    Raises:
        ContentError: a key of the vocabulary is missing, unknown or empty.
    """
    language = load_yaml(path)
    if not isinstance(language, dict) or set(language) != set(SAFETY_KEYS):
        raise ContentError(path, "file", "has other keys", f"keep exactly {', '.join(SAFETY_KEYS)}")
    for key, wordings in language.items():
        if not wordings or not all(isinstance(wording, str) for wording in wordings):
            raise ContentError(path, key, "has no wording", "give a list of sentences")
    return language


_SHOW_TOPIC = "/show_topic"


def topic_button(topic: Topic) -> Button:
    """Return the button that asks for `topic`."""
    return Button(topic.title, f'{_SHOW_TOPIC}{{"topic": "{topic.key}"}}')


def topic_of(payload: str) -> str | None:
    """Return the key of the topic that a button's payload asks for, if it asks for one."""
    if not payload.startswith(_SHOW_TOPIC + "{"):
        return None
    return str(json.loads(payload.removeprefix(_SHOW_TOPIC))["topic"])


TELL_MORE = Button("Tell me more", "/tell_more")
SIMPLIFY = Button("Say it simpler", "/simplify")
SOURCES = Button("Where is that from?", "/ask_sources")
SOMETHING_ELSE = Button("Something else", "/something_else")
TALK_TO_PERSON = Button("Talk to a person", "/talk_to_person")


class Composer:
    """Composes replies from the library, the safety language and the clinic's settings.

    `said` is the number of answers given before in the conversation: it rotates the wordings, so
    that no sentence is repeated turn after turn.
    """

    def __init__(self, library: TopicLibrary, language: SafetyLanguage, clinic: Clinic) -> None:
        self.library = library
        self.language = language
        self.clinic = clinic

    @classmethod
    def load(cls, faq: Path, content: Path) -> "Composer":
        """Read everything a composer needs.

        Raises:
            ContentError: a content file is damaged.
        """
        return cls(
            TopicLibrary.load(faq, content / "sources.yml"),
            load_safety_language(content / "safety_language.yml"),
            Clinic.load(content),
        )

    def answer(
        self,
        key: str,
        said: int,
        country: str | None = None,
        telling: str = "answer",
        near: Sequence[str] = (),
    ) -> Reply:
        """Return the answer with its safety language.

        Args:
            key: the topic.
            said: how much was told before in the conversation.
            country: the person's own choice, if any.
            telling: "answer" for the short answer, or "detail" or "simpler" in its place.
            near: topics that may have been meant in its place, the likeliest first.

        Raises:
            KeyError: there is no such topic.
        """
        topic = self.library[key]
        text = {"answer": topic.text, "detail": topic.detail, "simpler": topic.simpler}[telling]
        ways = {"answer": (TELL_MORE,), "detail": (SIMPLIFY,), "simpler": (TELL_MORE,)}[telling]
        return self._reply(
            "answer",
            topic,
            f"{text}\n\n{self._safety_language(topic, said)}",
            (*ways, SOURCES, *self._related(topic, 2, near)),
            country,
        )

    def detail(self, key: str, country: str | None = None) -> Reply:
        """Return what "Tell me more" adds to the answer."""
        topic = self.library[key]
        return self._reply(
            "detail", topic, topic.detail, (SOURCES, *self._related(topic, 3)), country
        )

    def after_all(self, key: str) -> tuple[Button, ...]:
        """Return the ways on when all of topic `key` has been told."""
        return (SOURCES, *self._related(self.library[key], 2), TALK_TO_PERSON)

    def sources(self, key: str) -> Reply:
        """Return the works that the answer rests on, and whether a clinician has approved it."""
        topic = self.library[key]
        listed = "\n".join(
            f"{number}. {source.title}. {source.publisher}, {source.date}. {source.url}"
            for number, source in enumerate(topic.sources, 1)
        )
        if topic.review.status == "approved":
            state = f"{topic.review.by} approved this text on {topic.review.on}."
        else:
            state = "No clinician has reviewed this text yet."
        return self._reply(
            "sources",
            topic,
            f"My answer to “{topic.title}” rests on:\n{listed}\n\n{state}",
            (TELL_MORE, *self._related(topic, 2)),
            None,
        )

    def related(self, key: str | None, asked: Sequence[str]) -> Reply:
        """Return questions to go on with: related to topic `key`, or starters; new ones first."""
        starters = [name for name in self.clinic.settings["starters"] if name in self.library]
        near = list(self.library[key].related) if key else []
        candidates = list(dict.fromkeys([*near, *starters]))
        fresh = [name for name in candidates if name not in asked and name != key] or candidates
        return Reply(
            kind="control",
            text="Here are some questions I can answer. You can also type your own.",
            buttons=tuple(topic_button(self.library[name]) for name in fresh[:4]),
        )

    def choices(self, keys: Sequence[str], misses: int) -> tuple[Button, ...]:
        """Return buttons for up to three topics that may be meant, and the ways out.

        After a miss just before (`misses` > 0) they include the way to a person.
        """
        person = (TALK_TO_PERSON,) if misses else ()
        written = [key for key in keys if not self.library[key].unwritten]
        topics = (topic_button(self.library[key]) for key in written[:3])
        return (*topics, SOMETHING_ELSE, *person)

    def withheld(self, key: str) -> bool:
        """Return whether topic `key` is kept back: not all written, or not as the settings ask.

        They can ask for topics that are approved and not past their due date.
        """
        if self.library[key].unwritten:
            return True
        if not self.clinic.settings["require_approved"]:
            return False
        review = self.library[key].review
        overdue = review.due is not None and review.due < date.today().isoformat()
        return review.status != "approved" or overdue

    def _related(self, topic: Topic, count: int, near: Sequence[str] = ()) -> tuple[Button, ...]:
        keys = list(dict.fromkeys([*near[:count], *topic.related]))
        return tuple(topic_button(self.library[key]) for key in keys[:count])

    def _safety_language(self, topic: Topic, said: int) -> str:
        """Return at most two sentences: the most urgent one asked for, and the clinician's."""
        urgent = [key for key in SAFETY_KEYS if key in topic.safety and key != "clinician"][:1]
        keys = [*urgent, *(["clinician"] if "clinician" in topic.safety else [])]
        return " ".join(
            self.language[key][said % len(self.language[key])] for key in keys or ["clinician"]
        )

    def _reply(
        self, kind: str, topic: Topic, text: str, buttons: tuple[Button, ...], country: str | None
    ) -> Reply:
        return Reply(
            kind=kind,
            text=fill(text, self.clinic.placeholders(country)),
            topic=topic.key,
            title=topic.title,
            sources=topic.sources,
            buttons=buttons,
            review=topic.review.status,
        )
