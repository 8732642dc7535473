"""The content contracts: what must hold for every text before anybody is shown it."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from guide.answer import load_safety_language
from guide.clinic import PLACEHOLDER, Clinic, unknown_placeholders
from guide.content import ContentError, load_yaml
from guide.paths import CONTENT, DATA, FAQ
from guide.reply import CONFIRM_DELETION, KINDS
from guide.topics import TEXTS, Topic, TopicLibrary, load_sources

MAX_WORDS = 90
MAX_GRADE = 10.0
MAX_MEAN_GRADE = 8.0
MIN_EXAMPLES = 25

FORBIDDEN = {
    r"\bnon-?addictive\b": "nobody can say that of ketamine",
    r"\bno (?:known )?side effects\b": "every medicine has some",
    r"\bguarantee[ds]?\b(?! nothing)": "no promise",
    r"\bmiracle\b|\bbreakthrough\b|\bmagic(?:al)?\b": "no advertising",
    r"\b(?:ketamine|spravato|treatment|therapy|infusions?|sessions?|it|this|they) (?:is|are)"
    r"(?: \w+)? safe\b|\b(?:completely|totally|perfectly|generally) safe\b": "nobody can say that",
    r"\bsafe and effective\b(?! for)": "no such claim",
    r"\bcures?\b(?! or)(?<!not a cure)(?<!no cure)": "nothing here is a cure",
    r"\bcan safely\b|\bsafely (?:take|use|have|do)\b": "no personal clearance",
    r"\byou (?:are|'re) (?:eligible|a good candidate)\b": "no personal clearance",
    r"\bjust (?:relax|call|take|ask|try)\b": "no pressure",
}
"""Claims that no text may make, as regular expressions, with the reason."""

ALLOWED_CONTEXT = re.compile(
    r"\b(?:not|never|nobody|cannot|isn't|whether|without|if|claims?|calls?|called|says?|said|word)\b",
    re.IGNORECASE,
)
"""A sentence that denies, doubts or reports a claim may name it."""

KETAMINE_APPROVED = re.compile(
    r"(?<!es)\bketamine\b[^.]{0,60}\b(?:is|was|are) (?:fda[- ])?approved\b[^.]{0,40}"
    r"\b(?:depression|anxiety|ptsd|mental)",
    re.IGNORECASE,
)

_PAYLOAD = re.compile(r"^/(?P<intent>[a-z_]+)(?P<entities>\{.*\})?$")


def problems() -> list[str]:
    """Return every broken contract of the content, one line each; empty when all is well."""
    try:
        library = TopicLibrary.load(FAQ, CONTENT / "sources.yml")
        clinic = Clinic.load(CONTENT)
        language = load_safety_language(CONTENT / "safety_language.yml")
        responses = load_responses()
        intents = load_intents()
    except ContentError as error:
        return [str(error)]
    found = [line for topic in library.values() for line in topic_problems(topic)]
    found += mean_grade_problems(library)
    for key, wordings in language.items():
        for wording in wordings:
            found += text_problems(f"content/safety_language.yml: {key}", wording)
    found += response_problems(responses, library, intents)
    found += duplicate_examples()
    found += starter_problems(clinic, library)
    found += age_problems(clinic)
    return found


def load_responses() -> dict[str, tuple[Path, list[dict[str, Any]]]]:
    """Return every response of data/ with the file it stands in.

    Raises:
        ContentError: a file is damaged, or a response key stands in two files.
    """
    responses: dict[str, tuple[Path, list[dict[str, Any]]]] = {}
    for path in sorted(DATA.rglob("*.yml")):
        for key, variations in (load_yaml(path).get("responses") or {}).items():
            if key in responses:
                raise ContentError(
                    path, f"responses.{key}", f"stands in {responses[key][0].name} too", "keep one"
                )
            responses[key] = (path, variations)
    return responses


def load_intents() -> set[str]:
    """Return the intents of domain.yml."""
    domain = load_yaml(DATA.parent / "domain.yml")
    return {next(iter(entry)) if isinstance(entry, dict) else entry for entry in domain["intents"]}


def reading_grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of `text` (Kincaid et al. 1975, as textstat counts it)."""
    import textstat

    return float(textstat.flesch_kincaid_grade(text))


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of `text`."""
    yield from re.split(r"(?<=[.?!])\s+", text)


def text_problems(place: str, text: str) -> list[str]:
    """Return forbidden claims, markup and unknown placeholders in one text."""
    found = [f"{place}: unknown placeholder {{{name}}}" for name in unknown_placeholders(text)]
    for sentence in sentences(text):
        for pattern, reason in FORBIDDEN.items():
            match = re.search(pattern, sentence, re.IGNORECASE)
            if match and not ALLOWED_CONTEXT.search(sentence) and not sentence.endswith("?"):
                found.append(f"{place}: says “{match[0]}”: {reason}")
        if KETAMINE_APPROVED.search(sentence) and not ALLOWED_CONTEXT.search(sentence):
            found.append(f"{place}: says ketamine is approved for a mental illness: it is not")
    if re.search(r"[*_`#<>]|!(?:\s|$)", PLACEHOLDER.sub("", text)):
        found.append(f"{place}: has Markdown, markup or an exclamation mark; write plain sentences")
    return found


def topic_problems(topic: Topic) -> list[str]:
    """Return what is wrong with one topic beyond its form."""
    place = f"data/faq/{topic.path.name}"
    found = []
    for name in TEXTS:
        if name in topic.unwritten:
            found.append(f"{place}: {name} is still to be written")
        else:
            found += text_problems(f"{place}: {name}", getattr(topic, name))
    if not topic.sources:
        found.append(f"{place}: names no source")
    words = len(topic.text.split())
    if words > MAX_WORDS:
        found.append(f"{place}: text has {words} words; at most {MAX_WORDS}")
    grade = reading_grade(topic.text)
    if grade > MAX_GRADE and "text" not in topic.unwritten:
        found.append(f"{place}: text has reading grade {grade:.1f}; at most {MAX_GRADE:.0f}")
    if len(topic.examples) < MIN_EXAMPLES:
        found.append(f"{place}: has {len(topic.examples)} examples; at least {MIN_EXAMPLES}")
    if not topic.related:
        found.append(f"{place}: names no related topic")
    for field in ("on", "due"):
        value = getattr(topic.review, field)
        if value is not None and not _is_iso_date(value):
            found.append(f'{place}: review.{field} is {value!r}; write "2027-01-31" or null')
    if topic.review.status == "approved" and not (topic.review.by and topic.review.on):
        found.append(f"{place}: is approved without a name and a date; use kap-guide review")
    return found


def mean_grade_problems(library: TopicLibrary) -> list[str]:
    """Return a problem when the short answers are too hard to read on average."""
    texts = [topic.text for topic in library.values() if "text" not in topic.unwritten]
    mean = sum(map(reading_grade, texts)) / max(len(texts), 1)
    if mean > MAX_MEAN_GRADE:
        return [f"data/faq: mean reading grade is {mean:.2f}; at most {MAX_MEAN_GRADE:.0f}"]
    return []


def response_problems(
    responses: dict[str, tuple[Path, list[dict[str, Any]]]],
    library: TopicLibrary,
    intents: set[str],
) -> list[str]:
    """Return responses without kind, with a wrong text, or with a button that leads nowhere."""
    found = []
    for key, (path, variations) in responses.items():
        place = f"data/{path.relative_to(DATA)}: {key}"
        for variation in variations:
            metadata = variation.get("metadata") or {}
            if not key.startswith("utter_faq/"):
                if metadata.get("kind") not in KINDS:
                    found.append(f"{place}: kind is {metadata.get('kind')!r}; use a known kind")
                found += text_problems(place, variation.get("text") or "")
                if not variation.get("text"):
                    found.append(f"{place}: has no text")
            for button in variation.get("buttons") or []:
                known = button["payload"] == CONFIRM_DELETION
                if not known and not resolves(button["payload"], library, intents):
                    found.append(f"{place}: button {button['title']!r} leads nowhere")
    return found


def resolves(payload: str, library: TopicLibrary, intents: set[str]) -> bool:
    """Return whether a button's payload names a known intent, and a known topic if it names one."""
    match = _PAYLOAD.match(payload)
    if not match or match["intent"] not in intents:
        return False
    if not match["entities"]:
        return match["intent"] != "show_topic"
    try:
        return json.loads(match["entities"]).get("topic") in library
    except ValueError:
        return False


def duplicate_examples() -> list[str]:
    """Return training examples that stand under two intents."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in sorted(DATA.rglob("*.yml")):
        for block in load_yaml(path).get("nlu") or []:
            for line in block["examples"].splitlines():
                if line.startswith("- "):
                    places[" ".join(line[2:].lower().split())].add(block["intent"])
    return [
        f"data: “{example}” is an example of {' and '.join(sorted(intents))}; keep one"
        for example, intents in places.items()
        if len(intents) > 1
    ]


def starter_problems(clinic: Clinic, library: TopicLibrary) -> list[str]:
    """Return starters of clinic.yml that are no topics."""
    return [
        f"content/clinic.yml: starters: unknown topic {key!r}; use a file name of data/faq"
        for key in clinic.settings["starters"]
        if key not in library
    ]


def checked_dates(clinic: Clinic) -> dict[str, str]:
    """Return when the crisis lines of each country and the safety patterns were last checked."""
    dates = {
        f"content/crisis_lines.yml: {lines.country}": lines.checked
        for lines in clinic.lines.values()
    }
    patterns = load_yaml(CONTENT / "safety_patterns.yml")
    dates["content/safety_patterns.yml"] = str(patterns.get("checked"))
    return dates


def age_problems(clinic: Clinic, today: date | None = None) -> list[str]:
    """Return crisis lines and safety patterns whose last check is older than the clinic allows."""
    today = today or date.today()
    sources = load_sources(CONTENT / "sources.yml")
    found = []
    for source in sources.values():
        if source.read not in ("yes", "partly"):
            found.append(f"content/sources.yml: {source.key}: was not read; do not cite it")
    limit = clinic.settings["max_age_days"]
    for place, checked in checked_dates(clinic).items():
        if not _is_iso_date(checked):
            found.append(f'{place}: checked is {checked!r}; write "2026-01-31"')
        elif (today - date.fromisoformat(checked)).days > limit:
            found.append(f"{place}: was last checked on {checked}, over {limit} days ago")
    return found


def _is_iso_date(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False
