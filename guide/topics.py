"""The topic library: every answer the assistant can give, with its sources."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guide.content import ContentError, load_yaml, require
from guide.reply import Source

SAFETY_KEYS = (
    "emergency",
    "poison",
    "crisis_line",
    "prescriber",
    "off_label",
    "supervised",
    "clinician",
)
"""The vocabulary of a topic's `safety`, most urgent first."""

REVIEW_STATES = ("drafted", "approved")

TEXTS = ("title", "text", "simpler", "detail")

TODO = "TODO"
"""A text that begins so is still to be written; nobody is shown a topic with such a text."""


@dataclass(frozen=True)
class Review:
    """Who has approved a topic's texts, when, and when they must be looked at again (ISO dates)."""

    status: str
    by: str | None
    on: str | None
    due: str | None


@dataclass(frozen=True)
class Topic:
    """One question with its written answer. Texts may hold `{placeholders}` of `guide.clinic`."""

    key: str
    title: str
    text: str
    simpler: str
    detail: str
    sources: tuple[Source, ...]
    safety: tuple[str, ...]
    related: tuple[str, ...]
    claims: tuple[str, ...]
    review: Review
    examples: tuple[str, ...]
    path: Path

    @property
    def unwritten(self) -> tuple[str, ...]:
        """The names of the texts that are still to be written."""
        return tuple(name for name in TEXTS if getattr(self, name).startswith(TODO))


class TopicLibrary(Mapping[str, Topic]):
    """All topics by key, in the order of their file names."""

    def __init__(self, topics: Mapping[str, Topic]) -> None:
        self._topics = dict(topics)

    def __getitem__(self, key: str) -> Topic:
        return self._topics[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._topics)

    def __len__(self) -> int:
        return len(self._topics)

    @classmethod
    def load(cls, faq: Path, sources_file: Path) -> "TopicLibrary":
        """Read every topic file in `faq`.

        Raises:
            ContentError: a file is damaged, a key in it is unknown, or there is no topic.
        """
        sources = load_sources(sources_file)
        topics = {path.stem: read_topic(path, sources) for path in sorted(faq.glob("*.yml"))}
        if not topics:
            raise ContentError(faq, "folder", "holds no topic file", "add <topic>.yml files to it")
        for topic in topics.values():
            for related in topic.related:
                if related not in topics:
                    raise ContentError(
                        topic.path,
                        "metadata.related",
                        f"unknown topic {related!r}",
                        "use the name of a file in data/faq",
                    )
        return cls(topics)


def load_sources(path: Path) -> dict[str, Source]:
    """Read the bibliography.

    Raises:
        ContentError: the file is damaged or an entry lacks a field.
    """
    entries = load_yaml(path)
    if not isinstance(entries, dict):
        raise ContentError(path, "file", "is not a mapping of keys", "give each source a key")
    fields = ("title", "publisher", "date", "url", "kind", "read", "checked")
    return {
        key: Source(key=key, **{field: require(entry, field, str, path, key) for field in fields})
        for key, entry in entries.items()
    }


def read_topic(path: Path, sources: Mapping[str, Source]) -> Topic:
    """Read one topic file.

    Raises:
        ContentError: a field is missing or of the wrong type, or a key is unknown.
    """
    data = load_yaml(path)
    key = path.stem
    nlu = require(data, "nlu", list, path, "")
    if [block.get("intent") for block in nlu if isinstance(block, dict)] != [f"faq/{key}"]:
        raise ContentError(path, "nlu", f"must hold one intent, faq/{key}", "name it as the file")
    examples = tuple(
        line.removeprefix("- ").strip()
        for line in require(nlu[0], "examples", str, path, "nlu").splitlines()
        if line.startswith("- ")
    )
    responses = require(data, "responses", dict, path, "")
    if list(responses) != [f"utter_faq/{key}"]:
        raise ContentError(
            path, "responses", f"must hold one response, utter_faq/{key}", "name it as the file"
        )
    variations = responses[f"utter_faq/{key}"]
    if not isinstance(variations, list) or len(variations) != 1:
        raise ContentError(path, "responses", "must hold one text", "keep a single list entry")
    answer = variations[0]
    metadata = require(answer, "metadata", dict, path, "responses")

    def text_of(name: str) -> str:
        return " ".join(str(require(metadata, name, str, path, "metadata")).split())

    def known(name: str, vocabulary: Any, remedy: str) -> tuple[str, ...]:
        keys = require(metadata, name, list, path, "metadata")
        for position, item in enumerate(keys):
            if item not in vocabulary:
                raise ContentError(
                    path, f"metadata.{name}[{position}]", f"unknown key {item!r}", remedy
                )
        return tuple(keys)

    source_keys = known("sources", sources, "add it to content/sources.yml or correct the key")
    text = " ".join(str(require(answer, "text", str, path, "responses")).split())
    if not source_keys and not text.startswith(TODO):
        raise ContentError(path, "metadata.sources", "is empty", "name at least one source")
    review = require(metadata, "review", dict, path, "metadata")
    if review.get("status") not in REVIEW_STATES:
        raise ContentError(
            path,
            "metadata.review.status",
            f"is {review.get('status')!r}",
            f"use one of {', '.join(REVIEW_STATES)}",
        )
    return Topic(
        key=key,
        title=text_of("title"),
        text=text,
        simpler=text_of("simpler"),
        detail=text_of("detail"),
        sources=tuple(sources[source] for source in source_keys),
        safety=known("safety", SAFETY_KEYS, f"use {', '.join(SAFETY_KEYS)}"),
        related=tuple(require(metadata, "related", list, path, "metadata")),
        claims=tuple(require(metadata, "claims", list, path, "metadata")),
        review=Review(
            status=review["status"],
            by=review.get("by"),
            on=review.get("on"),
            due=review.get("due"),
        ),
        examples=examples,
        path=path,
    )
