"""A browser, and the scripted server that it looks at."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from guide.paths import ROOT
from tests.needs import need
from tests.widget.scripted import Scripted, scripted

WIDGET = ROOT / "widget"
PLENTY = "100000/minute"

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = need(shutil.which("chromium"), "chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        # Root, as in containers, has no sandbox of its own.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    """The channel with its real texts over a scripted agent."""
    with scripted(
        session_messages=PLENTY, address_messages=PLENTY, address_sessions=PLENTY
    ) as running:
        yield running


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Return a function that opens a page in a browser profile of its own."""
    contexts: list[BrowserContext] = []

    def open_page(url: str, width: int = 1280, height: int = 860, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage, server: Scripted) -> Page:
    """The sample clinic page on a desktop."""
    return new_page(server.page)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The tools of the widget's build."""
    folder = WIDGET / "node_modules"
    need(shutil.which("node"), "node is not installed")
    return need(folder if folder.is_dir() else None, "run `npm ci` in widget/")


@pytest.fixture(scope="session")
def axe(node_modules: Path) -> str:
    """The source of axe-core."""
    return (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def parts(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The widget's rendering, as a script that leaves it in `kapParts`."""
    output = tmp_path_factory.mktemp("widget") / "parts.js"
    subprocess.run(["node", "build.mjs", "--tests", str(output)], cwd=WIDGET, check=True)
    return output.read_text(encoding="utf-8")
