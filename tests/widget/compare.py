"""Measure kap-chat beside two other chat widgets: `python -m tests.widget.compare FOLDER`.

FOLDER holds the other two: `npm install --prefix FOLDER --ignore-scripts --legacy-peer-deps
rasa-webchat@1.0.1 deep-chat@2.4.2`. All three run on the same bare page and echo what they hear.
"""

import asyncio
import gzip
import statistics
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import socketio
from aiohttp import web
from playwright.sync_api import Page, sync_playwright

from tests.widget.conftest import WIDGET
from tests.widget.scripted import scripted
from tests.widget.steps import open_chat
from tests.widget.test_accessibility import TAGS

ROUNDS = 15
SLOWER = 4  # how many times slower than this machine a phone is taken to be
LINK = "[x](javascript:alert(1))"
FIDELITY = "Risk is <5% and BP >140 [see note] _ab *cd"
PAUSE = 3000  # milliseconds; rasa-webchat shows that it types for a while
STRICT = "default-src 'none'; script-src {0}; style-src {0}; connect-src {0} {1}"


@dataclass
class Candidate:
    """A widget: where its replies appear, how it is opened and talked to, when it can be used."""

    name: str
    file: Path
    reply: str
    open: Callable[[Page], None]
    say: Callable[[Page, str], None]
    usable: str


def pages(folder: Path, kap: str, port: int) -> dict[str, tuple[str, str]]:
    """Return the pages by name: HTML, and the script that starts the widget."""
    webchat = f"""WebChat.default({{ socketUrl: "http://127.0.0.1:{port}", title: "Chat",
      initPayload: "", customData: {{}}, showFullScreenButton: false }}, null);"""
    deep = """addEventListener("DOMContentLoaded", () => {
      const chat = document.createElement("deep-chat");
      chat.connect = { handler: (body, signals) =>
        signals.onResponse({ text: body.messages[0].text }) };
      document.body.append(chat); });"""
    html = "<!doctype html><html lang=en><title>Clinic</title><main><h1>Clinic</h1>{}</main>"
    return {
        "kap-chat": (html.format(f'<script src="{kap}kap-chat.js" defer></script>'), ""),
        "rasa-webchat": (
            html.format('<script src="/webchat/index.js"></script><script src="/x.js"></script>'),
            webchat,
        ),
        "deep-chat": (
            html.format('<script src="/deep/deepChat.bundle.js" type="module"></script>').replace(
                "</main>", '</main><script src="/x.js"></script>'
            ),
            deep,
        ),
    }


def serve(folder: Path, kap: str) -> tuple[int, dict[str, str]]:
    """Serve the pages and the socket of rasa-webchat; return the port and the policy to set."""
    setting = {"name": "kap-chat", "policy": ""}
    ready = threading.Event()
    found: list[int] = []

    async def main() -> None:
        sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")

        async def asked(sid: str, data: Any) -> None:
            await sio.emit("session_confirm", (data or {}).get("session_id") or sid, to=sid)

        async def uttered(sid: str, data: Any) -> None:
            await sio.emit("bot_uttered", {"text": data["message"]}, to=sid)

        sio.on("session_request", asked)
        sio.on("user_uttered", uttered)
        app = web.Application()
        sio.attach(app)

        async def page(request: web.Request) -> web.Response:
            html, script = pages(folder, kap, found[0])[setting["name"]]
            headers = {"Content-Security-Policy": setting["policy"]} if setting["policy"] else {}
            if request.path == "/x.js":
                return web.Response(text=script, content_type="text/javascript")
            return web.Response(text=html, content_type="text/html", headers=headers)

        app.router.add_get("/", page)
        app.router.add_get("/x.js", page)
        modules = folder / "node_modules"
        app.router.add_static("/webchat", modules / "rasa-webchat" / "lib")
        app.router.add_static("/deep", modules / "deep-chat" / "dist")
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found.append(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]
        ready.set()
        await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
    assert ready.wait(20)
    return found[0], setting


def candidates(folder: Path) -> list[Candidate]:
    """Return the three widgets."""
    modules = folder / "node_modules"

    def start(page: Page) -> None:
        open_chat(page)
        page.get_by_role("button", name="I agree").click()
        page.locator(".starters").wait_for()

    def say_kap(page: Page, text: str) -> None:
        page.get_by_role("textbox").fill(f"say {text}")
        page.keyboard.press("Enter")

    def say_webchat(page: Page, text: str) -> None:
        page.locator(".rw-new-message").fill(text)
        page.keyboard.press("Enter")

    def say_deep(page: Page, text: str) -> None:
        page.locator("#text-input").click()
        page.keyboard.insert_text(text)
        page.keyboard.press("Enter")

    return [
        Candidate(
            "kap-chat",
            WIDGET / "dist" / "kap-chat.js",
            ".reply.smalltalk",
            start,
            say_kap,
            ".launcher",
        ),
        Candidate(
            "rasa-webchat",
            modules / "rasa-webchat" / "lib" / "index.js",
            ".rw-response",
            lambda page: page.locator(".rw-launcher").click(),
            say_webchat,
            ".rw-launcher",
        ),
        Candidate(
            "deep-chat",
            modules / "deep-chat" / "dist" / "deepChat.bundle.js",
            ".ai-message-text",
            lambda page: None,
            say_deep,
            "#text-input",
        ),
    ]


def violations(page: Page, axe: str) -> set[str]:
    """Return the rules of WCAG that axe sees broken."""
    page.evaluate(axe)
    found = page.evaluate("tags => axe.run(document, { runOnly: tags })", TAGS[:-1])
    return {rule["id"] for rule in found["violations"]}


def measure(candidate: Candidate, browser: Any, url: str, setting: dict[str, str]) -> None:
    """Print one widget's figures."""
    axe = (WIDGET / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    setting.update(name=candidate.name, policy="")
    code = candidate.file.read_bytes()
    print(f"\n{candidate.name}")
    print(f"  file: {len(code)} bytes, gzipped {len(gzip.compress(code, 9))}")
    times = []
    for _ in range(ROUNDS):
        context = browser.new_context()
        page = context.new_page()
        slow = context.new_cdp_session(page)
        slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(url)
        page.locator(candidate.usable).first.wait_for()
        # The first frame after the widget has everything it needs to react.
        times.append(
            page.evaluate(
                """new Promise((done) =>
                requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""
            )
        )
        context.close()
    print(
        f"  usable after ms (median of {ROUNDS}, {SLOWER}x slower): {statistics.median(times):.0f}"
    )

    page = browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(url)
    page.locator(candidate.usable).first.wait_for()
    page.wait_for_timeout(1500)
    print(f"  requests: {len([r for r in requests if 'favicon' not in r]) - 1} beside the page")
    found = {"closed": violations(page, axe)}
    candidate.open(page)
    page.wait_for_timeout(500)
    found["open"] = violations(page, axe)
    candidate.say(page, FIDELITY)
    page.locator(candidate.reply).last.wait_for()
    page.wait_for_timeout(PAUSE)
    shown = page.locator(candidate.reply).last.inner_text().strip()
    found["answered"] = violations(page, axe)
    print(f"  axe: { ({name: sorted(rules) for name, rules in found.items()}) }")
    print(f"  text: {'whole' if shown == FIDELITY else 'changed to ' + repr(shown)}")
    candidate.say(page, LINK)
    page.wait_for_timeout(PAUSE)
    print(f"  javascript: links: {page.locator('a[href^=javascript]').count()}")
    live = page.evaluate(
        """() => { const all = (root) => [...root.querySelectorAll("*")].flatMap((e) =>
        [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
        return all(document).filter((e) => e.matches(
          "[aria-live=polite],[aria-live=assertive],[role=status],[role=log]")).length; }"""
    )
    print(f"  live regions: {live}")
    page.close()

    origin = url.rstrip("/")
    other = "http://127.0.0.1:*"
    setting["policy"] = STRICT.format(f"{origin} {other}", origin.replace("http", "ws"))
    page = browser.new_page()
    refused: list[str] = []
    page.on(
        "console",
        lambda message: (
            refused.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    page.goto(url)
    page.wait_for_timeout(2000)
    print(f"  refused by a strict policy: {len(refused)}")
    page.close()


def main(folder: Path) -> None:
    """Measure all three."""
    plenty = "100000/minute"
    # The page's origin is known only when it is served, so it is put on the list afterwards.
    with (
        scripted(
            session_messages=plenty, address_messages=plenty, address_sessions=plenty
        ) as server,
        sync_playwright() as playwright,
    ):
        port, setting = serve(folder, server.page)
        server.allow(f"http://127.0.0.1:{port}")
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for candidate in candidates(folder):
            try:
                measure(candidate, browser, f"http://127.0.0.1:{port}/", setting)
            except Exception as error:
                print(f"  stopped: {error}")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
