"""The safety patterns: read from YAML, compiled to spaCy token patterns, matched by sentence.

The words of a pattern (see the head of `content/safety_patterns.yml` for people):
`word`, `word|other`, `{group}`, each optional with `?` · `...` up to three other words, `...5` up
to five · `{number}`, `{tens}` from ten up, `{year}` · `^` and `$` the sentence's start and end
· ` & ` between parts that may stand in either order, up to four words apart.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import spacy
from spacy.matcher import Matcher
from spacy.tokens import Doc

from guide.content import ContentError, load_yaml, require

LEVELS = ("crisis", "check_in", "boundary")
CATEGORIES = frozenset(
    {f"crisis/{c}" for c in ("suicide", "means", "self_harm", "medical_emergency")}
    | {f"crisis/{c}" for c in ("harm_to_others", "abuse", "someone_else", "after_session")}
    | {f"check_in/{c}" for c in ("distress", "past", "education")}
    | {f"boundary/{c}" for c in ("dose", "combination", "medication_change", "suitability")}
    | {f"boundary/{c}" for c in ("diagnosis", "obtaining", "alone", "recreational", "too_much")}
)
NOTHING = "none"

_APART = 4  # words between the parts of "A & B"
MASK = "_"
_START, _END = "^", "$"
_NUMBERS: dict[str, dict[str, Any]] = {
    "{number}": {"LIKE_NUM": True},
    "{tens}": {"ORTH": {"REGEX": "^[1-9][0-9]+$"}},
    "{year}": {"ORTH": {"REGEX": "^(19|20)[0-9]{2}$"}},
}
_ELEMENT = re.compile(r"(?P<gap>\.\.\.)(?P<most>\d*)|(?P<words>[^?\s]+?)(?P<optional>\??)")
_TERM = re.compile(r"[^\W_A-Z]+")

Tokens = Sequence[str]


@dataclass(frozen=True)
class Hit:
    """A pattern found in a sentence.

    `label` is its category after softening, `cue` the cue that softened it; `start` and `end` are
    word numbers.
    """

    pattern: str
    label: str
    start: int
    end: int
    cue: str | None = None


@dataclass
class _Phrase:
    """One line of words, compiled."""

    matcher: Matcher
    required: list[frozenset[str]]
    owner: Any


@dataclass
class _Pattern:
    id: str
    category: str
    soften: frozenset[str]


@dataclass
class _Cue:
    """Words that soften a match: beside it, or anywhere in the same clause."""

    name: str
    becomes: str
    reach: int | None
    general: bool
    words: _Index
    unless: _Index


class PatternBook:
    """All safety patterns, ready to match.

    `data` is the parsed content of the YAML file, kept so that it can travel in the model.
    """

    def __init__(self, data: Mapping[str, Any], path: Path) -> None:
        """Compiles the patterns; raises ContentError naming the first mistake."""
        self.data = data
        self._path = path
        self._vocab = spacy.blank("en").vocab
        self.words: frozenset[str] = frozenset()
        self.checked = self._read_date()
        self.spellings = self._read_spellings()
        self._groups = self._read_groups()
        self._breaks = frozenset(self._read_terms("clause_breaks"))
        self._idioms = _Index(self._read_idioms())
        self._cues = self._read_cues()
        self._patterns = _Index(self._read_patterns())

    @classmethod
    def read(cls, path: Path) -> PatternBook:
        """Reads the YAML file; raises ContentError when it is missing or wrong."""
        data = load_yaml(path)
        if not isinstance(data, dict):
            raise ContentError(path, "file", "is not a mapping", "restore its headings")
        return cls(data, path)

    def find(self, sentence: Tokens) -> list[Hit]:
        """Returns what the patterns find in a sentence without idioms, softened by its cues."""
        words = [_START, *sentence, _END]
        hits = []
        for phrase, start, end in self._patterns.matches(words, self._vocab):
            pattern: _Pattern = phrase.owner
            cue = self._softening_cue(pattern, words, start, end)
            label = cue.becomes if cue else pattern.category
            if label != NOTHING:
                first, last = max(start - 1, 0), min(end - 1, len(sentence))
                hits.append(Hit(pattern.id, label, first, last, cue.name if cue else None))
        return hits

    def without_idioms(self, sentence: Tokens) -> list[str]:
        """Returns the words of a sentence with those of figures of speech blanked out."""
        words = list(sentence)
        for _, start, end in self._idioms.matches(words, self._vocab):
            words[start:end] = [MASK] * (end - start)
        return words

    def _softening_cue(
        self, pattern: _Pattern, words: list[str], start: int, end: int
    ) -> _Cue | None:
        """Returns the first cue that softens the match, if any does."""
        if not pattern.soften:
            return None
        left = next((i + 1 for i in range(start, -1, -1) if words[i] in self._breaks), 0)
        right = next((i for i in range(end, len(words)) if words[i] in self._breaks), len(words))
        for cue in self._cues:
            if cue.name not in pattern.soften:
                continue
            first = left if cue.reach is None else max(left, start - cue.reach)
            scope = words[first:right]
            if cue.reach is not None:
                scope = [*words[first:start], _END, *words[start:end]]
            if cue.words.found_in(scope, self._vocab) and not cue.unless.found_in(
                words[left:right], self._vocab
            ):
                return cue
        return None

    # Reading

    def _wrong(self, place: str, problem: str, remedy: str) -> ContentError:
        return ContentError(self._path, place, problem, remedy)

    def _read_date(self) -> datetime.date:
        value = require(self.data, "checked", (str, datetime.date), self._path, "")
        try:
            return datetime.date.fromisoformat(str(value))
        except ValueError:
            raise self._wrong(
                "checked", f"{value!r} is not a date", 'write it as "2026-11-20"'
            ) from None

    def _read_spellings(self) -> dict[str, str]:
        spellings: dict[str, str] = require(self.data, "spellings", dict, self._path, "")
        for word, meant in spellings.items():
            if not (isinstance(word, str) and isinstance(meant, str) and _TERM.fullmatch(word)):
                raise self._wrong(
                    f"spellings.{word}",
                    "is not one word with its meaning",
                    "write one word in small letters, a colon and what it stands for, in quotes"
                    " if YAML takes it for something else (on, off, yes, no, a number)",
                )
        return spellings

    def _read_terms(self, key: str) -> list[str]:
        return self._check_terms(require(self.data, key, list, self._path, ""), key)

    def _check_terms(self, terms: list[Any], place: str) -> list[str]:
        for number, term in enumerate(terms, 1):
            if not (isinstance(term, str) and _TERM.fullmatch(term)):
                raise self._wrong(
                    f"{place}, word {number}",
                    f"{term!r} is not a single word in small letters",
                    "write one word, in quotes if YAML takes it for something else",
                )
        return terms

    def _read_groups(self) -> dict[str, frozenset[str]]:
        groups = require(self.data, "groups", dict, self._path, "")
        return {
            name: frozenset(
                self._check_terms(
                    require(groups, name, list, self._path, "groups"), f"groups.{name}"
                )
            )
            for name in groups
        }

    def _read_idioms(self) -> list[_Phrase]:
        lines = require(self.data, "idioms", list, self._path, "")
        return self._phrases(lines, "idioms", None)

    def _read_cues(self) -> list[_Cue]:
        cues: list[_Cue] = []
        entries = require(self.data, "cues", dict, self._path, "")
        for name in entries:
            place = f"cues.{name}"
            entry = require(entries, name, dict, self._path, "cues")
            becomes = require(entry, "becomes", str, self._path, place)
            if becomes not in CATEGORIES | {NOTHING}:
                raise self._wrong(
                    f"{place}.becomes",
                    f"{becomes!r} is no category",
                    "use one of the list, or none",
                )
            reach = entry.get("within_words_before")
            if reach is not None and not isinstance(reach, int):
                raise self._wrong(
                    f"{place}.within_words_before", f"is {reach!r}", "write a whole number"
                )
            words = self._phrases(
                require(entry, "words", list, self._path, place), f"{place}.words", name
            )
            unless = self._phrases(entry.get("unless", []), f"{place}.unless", name)
            general = not entry.get("only_where_named", False)
            cues.append(_Cue(name, becomes, reach, general, _Index(words), _Index(unless)))
        return cues

    def _read_patterns(self) -> list[_Phrase]:
        phrases: list[_Phrase] = []
        names = frozenset(cue.name for cue in self._cues)
        general = frozenset(cue.name for cue in self._cues if cue.general)
        seen: set[str] = set()
        for number, entry in enumerate(require(self.data, "patterns", list, self._path, ""), 1):
            name = require(entry, "id", str, self._path, f"pattern {number}")
            place = f"pattern {name}"
            if name in seen:
                raise self._wrong(place, "the id stands twice", "give one of them another id")
            seen.add(name)
            require(entry, "reason", str, self._path, place)
            category = require(entry, "category", str, self._path, place)
            if category not in CATEGORIES:
                raise self._wrong(
                    f"{place}.category",
                    f"{category!r} is no category",
                    "use one of " + ", ".join(sorted(CATEGORIES)),
                )
            soften = frozenset(entry.get("soften", general))
            if not soften <= names:
                raise self._wrong(
                    f"{place}.soften",
                    f"no cue is called {', '.join(sorted(soften - names))}",
                    "use names that stand under cues",
                )
            pattern = _Pattern(name, category, soften)
            lines = require(entry, "words", list, self._path, place)
            phrases += self._phrases(lines, place, pattern)
        return phrases

    # Compiling

    def _phrases(self, lines: Sequence[Any], place: str, owner: Any) -> list[_Phrase]:
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise self._wrong(place, "its words are not a list of texts", 'start each with "- "')
        return [
            self._phrase(line, f"{place}, words {number}", owner)
            for number, line in enumerate(lines, 1)
        ]

    def _phrase(self, line: str, place: str, owner: Any) -> _Phrase:
        parts, required = [], []
        for part in line.split(" & "):
            tokens, needed = self._part(part, place)
            parts.append(tokens)
            required += needed
        if not required:
            raise self._wrong(place, f"{line!r} asks for no word", "name at least one word")
        apart = [{"OP": f"{{0,{_APART}}}"}]
        orders = []
        for order in permutations(parts):
            tokens = list(order[0])
            for part_tokens in order[1:]:
                tokens += apart + part_tokens
            orders.append(tokens)
        matcher = Matcher(self._vocab, validate=False)
        matcher.add("phrase", orders)
        self.words |= frozenset(w for words in required for w in words if w.isalpha())
        return _Phrase(matcher, required, owner)

    def _part(self, part: str, place: str) -> tuple[list[dict[str, Any]], list[frozenset[str]]]:
        """Compiles words that stand in this order; returns them and the word sets it needs."""
        tokens: list[dict[str, Any]] = []
        required: list[frozenset[str]] = []
        for element in part.split():
            found = _ELEMENT.fullmatch(element)
            if found is None:
                raise self._wrong(place, f"{element!r} is not understood", "see the file's head")
            if found["gap"]:
                tokens.append({"OP": f"{{0,{found['most'] or 3}}}"})
                continue
            once = {"OP": "?"} if found["optional"] else {}
            if found["words"] in _NUMBERS:
                tokens.append({**_NUMBERS[found["words"]], **once})
                continue
            words = self._alternatives(found["words"], place)
            if not once:
                required.append(words)
            test: Any = next(iter(words)) if len(words) == 1 else {"IN": sorted(words)}
            tokens.append({"ORTH": test, **once})
        if not tokens or all("ORTH" not in token for token in tokens):
            raise self._wrong(place, f"{part!r} names no word", "name at least one word")
        return tokens, required

    def _alternatives(self, text: str, place: str) -> frozenset[str]:
        words: set[str] = set()
        for choice in text.split("|"):
            if choice.startswith("{") and choice.endswith("}"):
                if choice[1:-1] not in self._groups:
                    raise self._wrong(
                        place, f"group {choice} is unknown", "add it under groups or correct it"
                    )
                words |= self._groups[choice[1:-1]]
            elif choice in (_START, _END) or _TERM.fullmatch(choice):
                words.add(choice)
            else:
                raise self._wrong(
                    place, f"{choice!r} is not a word", "use small letters and the file's signs"
                )
        return frozenset(words)


class _Index:
    """Phrases by a word they need, so that a sentence meets only the phrases it could match."""

    def __init__(self, phrases: Iterable[_Phrase]) -> None:
        self._by_word: dict[str, list[_Phrase]] = defaultdict(list)
        for phrase in phrases:
            for word in min(phrase.required, key=len):
                self._by_word[word].append(phrase)

    def found_in(self, words: list[str], vocab: Any) -> bool:
        """True when any phrase is found in the words."""
        return next(iter(self.matches(words, vocab)), None) is not None

    def matches(self, words: list[str], vocab: Any) -> Iterator[tuple[_Phrase, int, int]]:
        """Yields phrases found in the words, with start and end."""
        present = set(words)
        doc = None
        tried = set()
        for word in present & self._by_word.keys():
            for phrase in self._by_word[word]:
                if id(phrase) in tried or any(present.isdisjoint(n) for n in phrase.required):
                    continue
                tried.add(id(phrase))
                doc = Doc(vocab, words=words) if doc is None else doc
                for _, start, end in phrase.matcher(doc):
                    yield phrase, start, end
