"""The pages beside the chat: the widget's file, a sample clinic page, the crisis protocol."""

import hashlib
from dataclasses import dataclass
from typing import Any, Dict, List

from jinja2 import Environment, FileSystemLoader

from guide.categories import CRISIS_CATEGORIES
from guide.clinic import INTERNATIONAL, Clinic, fill
from guide.content import load_yaml
from guide.paths import CONTENT, DATA, ROOT

WIDGET = ROOT / "widget"
_CRISIS = "utter_crisis/"


@dataclass(frozen=True)
class Page:
    """A file as it is served."""

    body: bytes
    content_type: str

    @property
    def etag(self) -> str:
        """A tag that changes with the content."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


class Pages:
    """Renders the pages; files are read when the channel starts."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._templates = Environment(
            loader=FileSystemLoader(WIDGET / "pages"), autoescape=True, trim_blocks=True
        )
        self._templates.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
        self._replies = load_yaml(DATA / "safety" / "replies.yml")["responses"]
        self._patterns_checked = load_yaml(CONTENT / "safety_patterns.yml")["checked"]
        self.widget = Page(
            (WIDGET / "dist" / "kap-chat.js").read_bytes(), "text/javascript; charset=utf-8"
        )
        self.icon = Page((WIDGET / "pages" / "icon.svg").read_bytes(), "image/svg+xml")
        self.style = Page((WIDGET / "pages" / "pages.css").read_bytes(), "text/css; charset=utf-8")

    def sample(self, base: str) -> Page:
        """Return the sample clinic page; `base` is the channel's address on this server."""
        return self._page("sample.html", base, country=self._clinic.country)

    def protocol(self, base: str, referrals: Dict[str, int]) -> Page:
        """Return the crisis protocol, from the lines and replies that are really used.

        `referrals` are the crisis replies given since the start, by category.
        """
        return self._page(
            "crisis_protocol.html",
            base,
            categories=self._categories(referrals),
            countries=[
                lines for code, lines in self._clinic.lines.items() if code != INTERNATIONAL
            ],
            elsewhere=self._clinic.lines[INTERNATIONAL],
            patterns_checked=self._patterns_checked,
            total=sum(referrals.values()),
        )

    def _categories(self, referrals: Dict[str, int]) -> List[Dict[str, Any]]:
        values = self._clinic.placeholders()
        categories = {
            name.removeprefix(_CRISIS): variations
            for name, variations in self._replies.items()
            if name.startswith(_CRISIS)
        }
        return [
            {
                "name": CRISIS_CATEGORIES.get(key, key),
                "text": fill(" ".join(variations[0]["text"].split()), values),
                "wordings": len(variations),
                "referrals": referrals.get(key, 0),
            }
            for key, variations in categories.items()
        ]

    def _page(self, template: str, base: str, **values: Any) -> Page:
        html = self._templates.get_template(template).render(
            base=base, clinic=self._clinic.settings, **self._clinic.placeholders(), **values
        )
        return Page(html.encode(), "text/html; charset=utf-8")
