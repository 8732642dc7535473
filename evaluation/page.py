"""Turns the measurements' templates into pages of HTML that need nothing beside them."""

from pathlib import Path
from typing import Any

import jinja2

PAGE = Path(__file__).with_name("page.html")


def render(template: Path, **values: Any) -> str:
    """Return the page of a template that extends page.html; values are escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, PAGE.parent]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(values)
