"""What the mere form of a message decides: no words, too many, or not English."""

import re
import unicodedata
from pathlib import Path
from runpy import run_path

import spacy.lang

MAX_CHARACTERS = 2000
"""A longer message is asked for again, shorter. The safety gate still reads all of it."""

LANGUAGES = ("es", "fr", "de", "pt", "it", "nl", "pl", "tr", "sv", "ro", "tl")
"""Languages in Latin letters that are told from English by their stop words."""

_WORDS = re.compile(r"[^\W\d_]{2,}")


def _stop_words(language: str) -> frozenset[str]:
    """Return the stop words that spaCy ships for a language."""
    # The file alone: its package would build the language's tokeniser too, two seconds for French.
    path = Path(spacy.lang.__path__[0]) / language / "stop_words.py"
    return frozenset(run_path(str(path))["STOP_WORDS"])


_ENGLISH = _stop_words("en") | {"im", "ok", "vs"}
_OTHERS = {language: _stop_words(language) - _ENGLISH for language in LANGUAGES}


def form_of(text: str) -> str | None:
    """Return "empty", "too_long" or "other_language" where the form decides; otherwise None."""
    letters = [character for character in text if character.isalnum()]
    if not letters:
        return "empty"
    if len(text) > MAX_CHARACTERS:
        return "too_long"
    return "other_language" if is_other_language(text) else None


def is_other_language(text: str) -> bool:
    """Return whether `text` is plainly not English: another script, or another's stop words."""
    letters = [character for character in text if character.isalpha()]
    foreign = sum("LATIN" not in unicodedata.name(character, "") for character in letters)
    if letters and foreign > len(letters) / 2:
        return True
    words = {word.lower() for word in _WORDS.findall(text)}
    english = len(words & _ENGLISH)
    other = max(len(words & stop_words) for stop_words in _OTHERS.values())
    return other >= 2 and other > 2 * english
