"""The clinic's settings and the crisis lines, and the placeholders they fill in every text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guide.content import ContentError, load_yaml, require

UNSET = {
    "name": "the clinic",
    "phone": "the clinic's own phone number (ask the clinic)",
    "email": "the clinic's own e-mail address (ask the clinic)",
    "address": "the clinic's address (ask the clinic)",
    "hours": "the clinic's opening hours (ask the clinic)",
    "booking": "the clinic's own booking line (ask the clinic)",
    "prices": "the clinic's current prices (ask the clinic)",
    "insurance": "what the clinic's billing team tells you (ask the clinic)",
    "forms": "the forms the clinic offers (ask the clinic)",
}
"""What a `{clinic_...}` placeholder becomes when clinic.yml leaves the value null."""

LINE_FIELDS = ("crisis_name", "crisis_call", "crisis_text", "emergency", "poison", "abuse_line")

INTERNATIONAL = "INTL"
"""The entry for people in a country without crisis lines of its own."""

PLACEHOLDERS = frozenset({f"clinic_{name}" for name in (*UNSET, "country")} | set(LINE_FIELDS))

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class CrisisLines:
    """Whom to call in one country. Texts are phrases that fit into a sentence after a verb."""

    country: str
    name: str
    values: Mapping[str, str]
    numbers: tuple[Mapping[str, Any], ...]
    aliases: tuple[str, ...]
    checked: str


@dataclass(frozen=True)
class Clinic:
    """The settings of one clinic together with the crisis lines of every country."""

    settings: Mapping[str, Any]
    lines: Mapping[str, CrisisLines]

    @classmethod
    def load(cls, content: Path) -> "Clinic":
        """Read clinic.yml and crisis_lines.yml from the folder `content`.

        Raises:
            ContentError: a file is damaged or the default country has no crisis lines.
        """
        lines = load_crisis_lines(content / "crisis_lines.yml")
        path = content / "clinic.yml"
        settings = load_yaml(path)
        require(settings, "starters", list, path, "")
        for name in ("disclosure_hours", "disclosure_days", "max_age_days"):
            require(settings, name, (int, float), path, "")
        require(settings, "require_approved", bool, path, "")
        country = require(settings, "country", str, path, "")
        if country not in lines:
            raise ContentError(
                path,
                "country",
                f"{country!r} has no crisis lines",
                f"use one of {', '.join(lines)}",
            )
        return cls(settings, lines)

    @property
    def country(self) -> str:
        """The default country, a key of crisis_lines.yml."""
        return str(self.settings["country"])

    def placeholders(self, country: str | None = None) -> dict[str, str]:
        """Return the value of every placeholder; `country` is the person's own choice, if any."""
        lines = self.lines.get(country or "", self.lines[self.country])
        values = {
            f"clinic_{name}": str(self.settings.get(name) or unset) for name, unset in UNSET.items()
        }
        values["clinic_country"] = self.lines[self.country].name
        values.update(lines.values)
        return values

    def country_in(self, text: str) -> str | None:
        """Return the country that `text` names ("I'm in the UK"), or None.

        The longest alias wins, so that "new south wales" is not read as "wales".
        """
        words = f" {' '.join(re.findall(r'[a-z]+', text.lower()))} "
        found = [
            (len(alias), code)
            for code, lines in self.lines.items()
            for alias in lines.aliases
            if f" {alias} " in words
        ]
        return max(found)[1] if found else None


def load_crisis_lines(path: Path) -> dict[str, CrisisLines]:
    """Read the crisis lines by country code.

    Raises:
        ContentError: the file is damaged or an entry lacks a field.
    """
    entries = require(load_yaml(path), "countries", dict, path, "")
    if INTERNATIONAL not in entries:
        raise ContentError(
            path, "countries", f"lacks {INTERNATIONAL}", "keep the entry for everywhere else"
        )
    lines = {}
    for country, entry in entries.items():
        values = {field: require(entry, field, str, path, country) for field in LINE_FIELDS}
        lines[country] = CrisisLines(
            country=country,
            name=require(entry, "name", str, path, country),
            values=values,
            numbers=tuple(require(entry, "numbers", list, path, country)),
            aliases=tuple(
                " ".join(re.findall(r"[a-z]+", str(alias).lower()))
                for alias in require(entry, "aliases", list, path, country)
            ),
            checked=require(entry, "checked", str, path, country),
        )
    return lines


def unknown_placeholders(text: str) -> set[str]:
    """Return the names in braces in `text` that no clinic setting fills."""
    return set(PLACEHOLDER.findall(text)) - PLACEHOLDERS


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with each known `{placeholder}` replaced; other braces stay as they are."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
