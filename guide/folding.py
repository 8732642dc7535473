"""Text folding: many ways of typing the same words become one.

`fold` works on characters and needs no vocabulary: Unicode, look-alike letters, invisible
characters, HTML entities, apostrophes and contractions, letters typed one by one, emoji that
stand for a word. `unleet` gives the second view of a folded text, in which figures and signs
inside words are letters again; numbers of their own are the reason why it is a second view.
Repairs that need to know words (k*ll, killmyself, myeslf) are in `guide.respelling`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection
from itertools import islice, product

SENTENCE_ENDS = frozenset(".!?")

# Letters of other scripts, and special Latin ones, that pass for a Latin letter at a glance. The
# Unicode list of confusables (and the libraries that carry it) leaves out the commonest ones used
# to get past filters: Cyrillic small letters such as м, к, т, н look like small capitals only.
_LOOK_ALIKES = {
    "a": "аαɑᴀɐ∂ﾑ",
    "b": "вьЬвβʙɓ",
    "c": "сϲᴄƈς",
    "d": "ԁᴅɗđ",
    "e": "еєεэɛᴇəǝҽ",
    "f": "ғƒꜰϝ",
    "g": "ɡɢցǥ",
    "h": "һнհʜħ",
    "i": "іιıɪїاӏ",
    "j": "јᴊϳ",
    "k": "кκᴋƙқ",
    "l": "ʟłɭℓ",
    "m": "мᴍϻʍ",
    "n": "пηᴎɴոռиŋ",
    "o": "оοσᴏөøօ",
    "p": "рρᴘƥ",
    "q": "ԛզǫ",
    "r": "гʀɾяᴦ",
    "s": "ѕꜱʂ",
    "t": "тτᴛƭŧ",
    "u": "υսᴜμц",
    "v": "ѵνᴠ",
    "w": "ѡωᴡԝшщ",
    "x": "хχ×",
    "y": "уүγʏɣ",
    "z": "ᴢʐƶ",
}
_LETTERS = {ord(sign): letter for letter, signs in _LOOK_ALIKES.items() for sign in signs}
_LETTERS |= {
    ord("ß"): "ss",
    ord("æ"): "ae",
    ord("œ"): "oe",
    ord("þ"): "th",
    ord("ð"): "d",
}
# Letters in coloured squares, and the pairs of them that make flags.
_LETTERS |= {first + n: chr(97 + n) for first in (0x1F170, 0x1F150, 0x1F1E6) for n in range(26)}

_SIGNS = {ord(sign): "'" for sign in "\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032\u00b4`\uff07"}
_SIGNS |= {ord(sign): '"' for sign in "\u201c\u201d\u201e\u00ab\u00bb\u2033"}
_SIGNS |= {ord(sign): "-" for sign in "\u2010\u2011\u2012\u2212"}
_SIGNS |= {ord(sign): ", " for sign in "\u2013\u2014\u2015"}

_EMOJI = {
    "🔫": "gun",
    "🔪": "knife",
    "🗡": "knife",
    "💊": "pills",
    "💉": "needle",
    "💀": "skull",
    "☠": "skull",
    "🪦": "grave",
    "⚰": "coffin",
    "🩸": "blood",
    "🪢": "rope",
    "💣": "bomb",
    "🧨": "bomb",
    "🆘": "help",
}
_EMOJI_WORDS = {ord(sign): f" {word} " for sign, word in _EMOJI.items()}

_CONTRACTIONS = {
    "can't": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "let's": "let us",
    # The same without the apostrophe, where that makes no other word.
    "cant": "can not",
    "wont": "will not",
    "aint": "is not",
    "cannot": "can not",
    "im": "i am",
    "ive": "i have",
    "youre": "you are",
    "youve": "you have",
    "theyre": "they are",
    "theyve": "they have",
    "weve": "we have",
    "hes": "he is",
    "shes": "she is",
    "thats": "that is",
    "whats": "what is",
    "wheres": "where is",
    "theres": "there is",
    "itll": "it will",
    "youll": "you will",
    "theyll": "they will",
}
_NEGATED = frozenset(
    {"do", "does", "did", "is", "was", "would", "could", "should", "are", "were", "has", "have"}
    | {"had", "must", "need", "might"}
)
_CONTRACTIONS |= {f"{verb}nt": f"{verb} not" for verb in _NEGATED}
_ENDINGS = {"m": "am", "re": "are", "ve": "have", "ll": "will", "d": "would"}
# After these words 's is "is"; after any other it marks a possession and is left out.
_SHORT_IS = frozenset(
    {"he", "she", "it", "that", "there", "here", "what", "who", "where", "how", "when"}
    | {"everyone", "everybody", "nobody", "someone", "somebody", "everything", "nothing"}
)

_INVISIBLE = frozenset({"Mn", "Me", "Cf", "Cs", "Co", "Cn"})
_NEWLINES = "\r\n\u0085\u2028\u2029"
# A shorter line is part of a sentence typed word by word, not a sentence of its own.
_WORDS_OF_A_LINE = 4

_REVERSED = re.compile("\u202e([^\u202c\n]*)\u202c?")
_DOTTED = re.compile(r"(?<![\w'])[a-z](?:[._*~•·-]{1,3}['\w])+(?![\w'])")
_SPACED = re.compile(r"(?<![\w'])[a-z](?: +[a-z]){2,}(?![\w'])")
_ELONGATED = re.compile(r"([^\W\d_])\1{2,}")
_ELLIPSIS = re.compile(r"\.{2,}|…")
_TOKEN = re.compile(r"""\d+(?:[.,]\d+)+|\w+(?:['*#-]+\w+)*|[.!?,;:"()]""")
_QUANTITY = re.compile(r"(\d+(?:[.,]\d+)*)([a-z]{1,6})")
_PAUSES = dict.fromkeys(";:()", ",")

_FIGURES = {
    "0": "o",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "g",
    "7": "t",
    "8": "b",
    "9": "g",
}
_FIGURES |= {"@": "a", "$": "s", "+": "t"}
_UPRIGHT = "1!|"  # i or l
_FIGURE_WORDS = {"1": "i", "2": "to", "4": "for"}
# A figure or sign between letters, or one before at least three letters, which no unit has.
_SUSPECT = re.compile(r"[a-z][0-9@$!|+]+[a-z]|(?<![\w.,])[0-9@$!|][a-z]{3}")
_FIGURE_WORD = re.compile(r"[\w@$!|+']*[a-z][\w@$!|+']*|(?<![\w.,])[\d@$!|]{1,2}(?![\w.,])")
_MAX_READINGS = 64
_LETTERS_AND_FIGURES = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Returns the text in small plain letters: words and .,!?" with one space between them.

    Contractions are written out ("dont" becomes "do not"), runs of a letter are cut to two.
    Figures stay figures; see `unleet`.
    """
    return _words(_characters(text))


def is_plain(text: str) -> bool:
    """True when folding changes no letter of the text: it was typed without tricks."""
    return _LETTERS_AND_FIGURES.findall(_characters(text)) == _LETTERS_AND_FIGURES.findall(
        text.lower()
    )


def unleet(text: str, known: Collection[str] = ()) -> str | None:
    """Returns the folded text with the figures and signs inside words read as letters.

    1, ! and | stand for i or l: the reading that makes a word of `known` wins, else i.
    None when no word of the text has a figure or sign that could be meant so.
    """
    characters = _characters(text)
    if not _SUSPECT.search(characters):
        return None
    letters = _FIGURE_WORD.sub(lambda match: _letters_of(match[0], known), characters)
    return _words(_ELONGATED.sub(r"\1\1", letters))  # k1111ll too is an elongated word


def _characters(text: str) -> str:
    """Folds characters, and joins words typed letter by letter."""
    if "&" in text:
        text = html.unescape(text)
    if "\u202e" in text:
        text = _REVERSED.sub(lambda match: match[1][::-1], text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_EMOJI_WORDS).translate(_SIGNS))
        text = "".join(sign for sign in text if unicodedata.category(sign) not in _INVISIBLE)
    text = text.lower()
    if not text.isascii():
        text = text.translate(_LETTERS)
    text = _ELLIPSIS.sub(" , ", text.replace("`", "'"))
    text = _DOTTED.sub(lambda match: re.sub(r"[^\w']|_", "", match[0]), text)
    text = _SPACED.sub(lambda match: _join_letters(match[0]), text)
    return _ELONGATED.sub(r"\1\1", _end_lines(text))


def _join_letters(run: str) -> str:
    """Joins "m y  l i f e" to "my life": the narrowest gap is within words, wider ones between."""
    gaps = re.findall(" +", run)
    narrow = len(min(gaps))
    return re.sub(" +", lambda gap: "" if len(gap[0]) == narrow else " ", run)


def _end_lines(text: str) -> str:
    """Turns line ends into sentence ends, or into spaces after a line of a few words."""
    lines = re.split(f"[{_NEWLINES}]+", text)
    ended = [
        line + (" . " if len(line.split()) >= _WORDS_OF_A_LINE else " ") for line in lines[:-1]
    ]
    return "".join(ended) + lines[-1]


def _words(characters: str) -> str:
    """Splits folded characters into words and marks, and writes contractions out."""
    words: list[str] = []
    for token in _TOKEN.findall(characters):
        quantity = _QUANTITY.fullmatch(token)
        if quantity:
            words += quantity.groups()
        elif token in _CONTRACTIONS:
            words.append(_CONTRACTIONS[token])
        elif "'" in token:
            words.append(_write_out(token))
        else:
            words.append(_PAUSES.get(token) or token.strip("_"))
    return " ".join(word for word in words if word)


def _write_out(token: str) -> str:
    """Writes out a word with an apostrophe; one that shortens nothing is dropped."""
    stem, _, ending = token.rpartition("'")
    if stem.endswith("n") and ending == "t" and stem[:-1] in _NEGATED:
        return f"{stem[:-1]} not"
    if ending == "s":
        return f"{stem} is" if stem in _SHORT_IS else stem.replace("'", "")
    if ending in _ENDINGS:
        return f"{stem} {_ENDINGS[ending]}".replace("'", "")
    return token.replace("'", "")


def _letters_of(word: str, known: Collection[str]) -> str:
    """Reads the figures and signs of a word as letters."""
    if word in _FIGURE_WORDS:
        return _FIGURE_WORDS[word]
    # A mark at the end of a word is a mark: "help!"
    body = word.rstrip("!|+")
    letters = "".join(_FIGURES.get(sign, sign) for sign in body)
    if not any(sign in letters for sign in _UPRIGHT):
        return letters + word[len(body) :]
    choices = [("i", "l") if sign in _UPRIGHT else (sign,) for sign in letters]
    readings = ["".join(r) for r in islice(product(*choices), _MAX_READINGS)]
    best = next((reading for reading in readings if reading in known), readings[0])
    return best + word[len(body) :]
