"""The chat on a page of the clinic's own website, and what a stranger's page gets."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import expect

from tests.widget.conftest import NewPage
from tests.widget.scripted import Scripted, scripted
from tests.widget.steps import ask, open_chat, replies, start


class Website:
    """A website of its own origin, with the one line and a strict policy."""

    def __init__(self) -> None:
        self.html = ""
        self.policy = ""
        website = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", website.policy)
                self.end_headers()
                self.wfile.write(website.html.encode())

            def log_message(self, *given: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def clinic() -> Iterator[Website]:
    """A website on the clinic's list."""
    website = Website()
    yield website
    website.stop()


@pytest.fixture(scope="module")
def stranger() -> Iterator[Website]:
    """A website that is not."""
    website = Website()
    yield website
    website.stop()


@pytest.fixture(scope="module")
def listing(clinic: Website) -> Iterator[Scripted]:
    """The server with the clinic's website on its list."""
    with scripted(origins=frozenset({clinic.origin})) as running:
        yield running


def with_one_line(website: Website, server: Scripted, lines: int = 1) -> None:
    origin = server.page.split("/webhooks")[0]
    script = f'<script src="{server.page}kap-chat.js" data-widget-title="Ask us" defer></script>'
    website.html = f"<!doctype html><html lang=en><title>x</title>{script * lines}<h1>Clinic</h1>"
    website.policy = f"default-src 'none'; script-src {origin}; connect-src {origin}"


@pytest.mark.parametrize("lines", [1, 2])
def test_one_line_puts_the_chat_on_the_clinics_page_under_a_strict_policy(
    new_page: NewPage, listing: Scripted, clinic: Website, lines: int
) -> None:
    with_one_line(clinic, listing, lines)
    page = new_page("about:blank")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    requested: set[str] = set()
    page.on("request", lambda request: requested.add(request.url.split("/")[2]))
    page.goto(clinic.origin)
    assert page.locator("kap-chat").count() == 1
    start(page)
    expect(page.get_by_role("dialog", name="Ask us")).to_be_visible()
    ask(page, "bladder?")
    expect(replies(page, "answer")).to_be_visible()
    # The style is there although the page allows none.
    background = page.locator("dialog").evaluate("e => getComputedStyle(e).position")
    assert background == "fixed"
    assert len(requested) == 2
    expected = () if lines == 1 else ("already been used",)
    unexpected = [c for c in complaints if "favicon" not in c and not any(e in c for e in expected)]
    assert unexpected == []


def test_a_strangers_page_gets_nothing(
    new_page: NewPage, listing: Scripted, stranger: Website
) -> None:
    with_one_line(stranger, listing)
    stranger.policy = "default-src * 'unsafe-inline'"
    page = new_page(stranger.origin)
    open_chat(page)
    page.get_by_role("button", name="I agree").click()
    # The widget shows its offline card; no session was made for the page.
    expect(page.get_by_role("alert").get_by_role("link", name="Call 988")).to_be_visible()
    outcome = page.evaluate(
        """async (base) => { const tries = [
          () => fetch(base + "session", { method: "POST", body: '{"consent":true}',
            headers: { "Content-Type": "application/json" } }),
          () => fetch(base + "session", { method: "POST", body: '{"consent":true}' }),
          () => fetch(base + "history", { headers: { Authorization: "Bearer x" } }),
          () => fetch(base + "history"), () => fetch(base + "metrics"),
        ];
        return Promise.all(tries.map((one) => one().then((r) => r.text(), () => "nothing"))); }""",
        listing.page,
    )
    assert outcome == ["nothing"] * 5
    frame = page.evaluate(
        """(base) => new Promise((done) => { const frame = document.createElement("iframe");
        frame.src = base; frame.onload = () => {
          try { done(frame.contentDocument ? "readable" : "closed"); } catch { done("closed"); } };
        document.body.append(frame); })""",
        listing.page,
    )
    assert frame == "closed"
