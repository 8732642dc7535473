"""The pages beside the chat: the widget's file, a sample clinic page, the crisis protocol."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Dict

from jinja2 import Environment, FileSystemLoader
from sqlalchemy.exc import SQLAlchemyError

from guide.categories import CRISIS_CATEGORIES
from guide.clinic import INTERNATIONAL, Clinic, fill
from guide.content import load_yaml
from guide.gaps import GapStore
from guide.paths import CONTENT, DATA, ROOT
from guide.report import crisis_replies
from guide.report_text import number, total

logger = logging.getLogger(__name__)

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
        self._templates.filters["number"] = number
        self._templates.filters["total"] = total
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

    def protocol(self, base: str, store: GapStore) -> Page:
        """Return the crisis protocol, from the lines, replies and counts that are really used.

        Blocks while the store is read. Without the store there are no counts, but all the rest.
        """
        categories = self._categories()
        try:
            since = date.today() - timedelta(days=365)
            given, in_all = crisis_replies(store, since, categories)
        except SQLAlchemyError as error:
            logger.error("the crisis replies could not be counted: %s", type(error).__name__)
            given, in_all = {}, None
        return self._page(
            "crisis_protocol.html",
            base,
            categories=categories,
            given=given,
            in_all=in_all,
            countries=[
                lines for code, lines in self._clinic.lines.items() if code != INTERNATIONAL
            ],
            elsewhere=self._clinic.lines[INTERNATIONAL],
            patterns_checked=self._patterns_checked,
        )

    def _categories(self) -> Dict[str, Dict[str, Any]]:
        values = self._clinic.placeholders()
        categories = {
            name.removeprefix(_CRISIS): variations
            for name, variations in self._replies.items()
            if name.startswith(_CRISIS)
        }
        return {
            key: {
                "name": CRISIS_CATEGORIES.get(key, key),
                "text": fill(" ".join(variations[0]["text"].split()), values),
                "wordings": len(variations),
            }
            for key, variations in categories.items()
        }

    def _page(self, template: str, base: str, **values: Any) -> Page:
        html = self._templates.get_template(template).render(
            base=base, clinic=self._clinic.settings, **self._clinic.placeholders(), **values
        )
        return Page(html.encode(), "text/html; charset=utf-8")
