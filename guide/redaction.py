"""Takes out of a text what points to a person, before anything is kept.

What is found: e-mail addresses, telephone numbers, dates of birth, identity and card numbers, and
names that the person states. Doses, years, times and the short numbers of crisis lines stay. In
doubt a number goes.
"""

import itertools
import re
from collections.abc import Iterator

from phonenumbers import Leniency, PhoneNumberMatcher

Span = tuple[int, int]

EMAIL, PHONE, BIRTH, NUMBER, NAME = "e-mail", "phone", "date of birth", "number", "name"

_EMAIL = re.compile(
    r"[\w.+%-]+(?:@|\s?[\[(]at[\])]\s?)[\w-]+(?:(?:\.|\s?[\[(]dot[\])]\s?)[\w-]+)+", re.IGNORECASE
)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\b"
_DAY_AND_MONTH = rf"(?:{_DAY}(?:\s+of)?[\s-]*{_MONTH}|{_MONTH}\s*(?:the\s+)?{_DAY})"
_FULL_DATE = re.compile(
    r"(?<![\d./-])(?:\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?(\d{4}|\d{2})"
    r"|(\d{4})[./-]\d{1,2}[./-]\d{1,2}"
    rf"|\b{_DAY_AND_MONTH}[\s,'’-]*(\d{{4}}|\d{{2}}))(?![\d/-])",
    re.IGNORECASE,
)
_BIRTH_WORD = re.compile(r"\b(?:d\.?o\.?b\b|birth|born)[^.!?\d]{0,20}$", re.IGNORECASE)
# After a word on birth, half a date or the year alone is enough.
_BORN = re.compile(
    r"\b(?:d\.?o\.?b\b\.?|date\s+of\s+birth|birth\s?-?(?:date|day|year)|born)"
    r"(?:\s+(?:is|was|on|in|the|year)\b|\s*[:=-])*\s*"
    rf"(?P<found>{_DAY_AND_MONTH}|{_MONTH}\s+\d{{4}}|(?:19|20)\d\d\b|\d{{1,2}}[./-]\d{{1,2}}\b)",
    re.IGNORECASE,
)

_CARD = re.compile(r"(?<!\d)\d(?:[ .-]?\d){12,18}(?!\d)")
_IDENTITY = re.compile(
    r"(?<![\d.-])\d{3}[ -]\d{2}[ -]\d{4}(?![\d.-])"  # United States social security
    r"|(?<![A-Za-z0-9])[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D](?![A-Za-z0-9])"  # British insurance
    # bank account (IBAN)
    r"|(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])"
    # anything else as long as a telephone number, and not part of a larger figure
    r"|(?<![\w.,])\d{7,}(?![\w,]|\.\d)"
)
_ISSUED = re.compile(
    r"\b(?:ssn|sin|social security|passport|licen[cs]e|mrn|medicare|medicaid|nhs|chart|"
    r"(?:medical |health )?record|patient|member(?:ship)?|policy|insurance|account|card|id)\b"
    r"(?:\s+(?:card|number|no|num|id|nr))*\s*(?:\.|#|:|=|\bis\b|\bwas\b|\s)*\s*"
    r"(?P<found>[A-Z]{0,4}[ -]?\d[A-Z0-9]*(?:[ -]\d[A-Z0-9]*)*)\b",
    re.IGNORECASE,
)
YEAR_DIGITS = 4

# In North America any ten digits count, elsewhere what the country's own plan admits.
_COUNTRIES = ("GB", "AU", "NZ", "IE", "IN", "ZA", "DE")
MIN_PHONE_DIGITS = 7

_WORD = r"[^\W\d_][\w’'-]*\.?"
_CAPITAL = r"[^\W\d_a-z][\w’'-]+"
# Whatever follows counts as the name, up to a word that no name has.
_STATED = re.compile(
    r"(?:\bname(?:\s+is|['’]s|\s+was|\s*[:=])|\bmy\s+names"
    r"|\b(?:is|was|am|i['’]?m|he['’]s|she['’]s)\s+(?:called|named)|\bi\s+go\s+by)"
    rf"\s+(?:[\"“(]\s*)?(?P<found>{_WORD}(?:\s+{_WORD}){{0,3}})",
    re.IGNORECASE,
)
# Only what is written like a name counts.
_INTRODUCED = re.compile(
    rf"\b(?:[Ii]['’]?\s?a?m|I\s+AM|[Tt]his\s+is|[Cc]all\s+me|[Rr]egards,?|[Ss]igned,?|[Tt]hanks,)"
    rf"\s+(?P<found>{_CAPITAL}(?:\s+{_CAPITAL}){{0,2}})"
    rf"|\b(?:(?i:dr|mr|mrs|ms|mx|prof)\b\.?|doctor|professor|nurse)\s+"
    rf"(?P<titled>{_CAPITAL}(?:\s+{_CAPITAL})?)"
)
_NOT_NAMES = """
a about after afraid all alone am an and anonymous anxious are as asking at bipolar but by can
confidential currently depressed diagnosed do feeling for from going has have he here how i i'm
if i’m im in interested irrelevant is it ketamine kap looking male female me my new no none not
nothing of on or please pregnant private ptsd ready really scared secret she sick so sorry
spravato still suicidal sure taking tell that the they this tired to today trying unknown very
was we well what when where which who why with worried would you your
"""
_NO_NAME = frozenset(_NOT_NAMES.split())


def redact(text: str) -> str:
    """Return `text` with everything found replaced by its kind in brackets, such as `[e-mail]`."""
    return _replaced(text)[0]


def found(text: str) -> frozenset[str]:
    """Return the kinds of what points to a person in `text`: e-mail, phone, and so on."""
    return _replaced(text)[1]


def _replaced(text: str) -> tuple[str, frozenset[str]]:
    kinds = set()
    for kind, find in _FINDERS:
        # From the end, so that what was found before a place stays where it was found.
        for start, end in sorted(find(text), reverse=True):
            text = f"{text[:start]}[{kind}]{text[end:]}"
            kinds.add(kind)
    return text, frozenset(kinds)


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        yield match.span()


def _births(text: str) -> Iterator[Span]:
    taken: list[Span] = []
    for match in _FULL_DATE.finditer(text):
        year = int(next(group for group in match.groups() if group))
        # A year in which adults of today were born, or a date that is said to be a birth.
        if 1900 <= year < 2012 or 30 <= year < 100 or _BIRTH_WORD.search(text[: match.start()]):
            taken.append(match.span())
            yield match.span()
    for match in _BORN.finditer(text):
        if not any(start < match.end() and match.start("found") < end for start, end in taken):
            yield match.span("found")


def _numbers(text: str) -> Iterator[Span]:
    last = 0
    spans = [match.span() for match in _CARD.finditer(text) if _is_card(match[0])]
    spans += [match.span() for match in _IDENTITY.finditer(text)]
    for match in _ISSUED.finditer(text):
        if sum(character.isdigit() for character in match["found"]) > YEAR_DIGITS:
            spans.append(match.span("found"))
    for start, end in sorted(spans):
        if start >= last:
            yield start, end
            last = end


def _is_card(digits: str) -> bool:
    """Return whether the last digit is the check digit that cards carry (ISO/IEC 7812-1)."""
    numbers = [int(digit) for digit in re.sub(r"\D", "", digits)]
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[-2::-2])
    return (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def _phones(text: str) -> Iterator[Span]:
    if sum(character.isdigit() for character in text) < MIN_PHONE_DIGITS:
        return
    last = 0
    matches = list(PhoneNumberMatcher(text, "US", Leniency.POSSIBLE))
    for country in _COUNTRIES:
        matches += PhoneNumberMatcher(text, country, Leniency.VALID)
    for match in sorted(matches, key=lambda match: (match.start, -match.end)):
        if match.start >= last:
            yield match.start, match.end
            last = match.end


def _names(text: str) -> Iterator[Span]:
    last = 0
    matches = [match.span("found") for match in _STATED.finditer(text)]
    for match in _INTRODUCED.finditer(text):
        matches.append(match.span("found" if match["found"] else "titled"))
    for start, end in sorted(matches):
        words = list(re.finditer(r"\S+", text[start:end]))
        name = list(itertools.takewhile(lambda word: _is_name(word[0]), words))
        if name and start >= last:
            last = start + len(text[start : start + name[-1].end()].rstrip("."))
            yield start, last


def _is_name(word: str) -> bool:
    return word.strip(".,").lower() not in _NO_NAME


_FINDERS = (
    (EMAIL, _emails),
    (BIRTH, _births),
    (NUMBER, _numbers),
    (PHONE, _phones),
    (NAME, _names),
)
