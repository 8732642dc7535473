"""WCAG 2.2 AA: axe in every state, and what axe cannot see."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widget.conftest import NewPage
from tests.widget.scripted import Scripted
from tests.widget.steps import ask, box, focused, launcher, open_chat, replies, start

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

State = Callable[[Page], None]


def closed(page: Page) -> None:
    launcher(page).wait_for()


def help_panel(page: Page) -> None:
    open_chat(page)
    page.get_by_role("button", name="Get help now").click()


def answer(page: Page) -> None:
    start(page)
    ask(page, "bladder?")
    replies(page, "answer").locator("summary").click()


def judged(page: Page) -> None:
    start(page)
    ask(page, "bladder?")
    replies(page, "answer").get_by_role("button", name="This helped").click()
    page.get_by_text("Thank you for letting us know.").first.wait_for()


def clarify(page: Page) -> None:
    start(page)
    ask(page, "hm")
    replies(page, "clarify").wait_for()


def crisis(page: Page) -> None:
    start(page)
    ask(page, "i want to kill myself")
    replies(page, "crisis").wait_for()


def waiting(page: Page) -> None:
    start(page)
    ask(page, "slow bladder?")
    page.locator(".waiting").wait_for()


def failed(page: Page) -> None:
    start(page)
    ask(page, "fail")
    page.get_by_role("alert").wait_for()


def counting(page: Page) -> None:
    start(page)
    box(page).fill("a" * 2010)


def ending(page: Page) -> None:
    start(page)
    page.get_by_role("button", name="End chat").click()


def ended(page: Page) -> None:
    ending(page)
    page.get_by_role("button", name="End and delete").click()
    page.get_by_role("button", name="Start a new chat").wait_for()


STATES: list[State] = [
    closed,
    open_chat,
    help_panel,
    start,
    answer,
    judged,
    clarify,
    crisis,
    waiting,
    failed,
    counting,
    ending,
    ended,
]


def violations(page: Page, axe: str) -> list[str]:
    """Return what axe finds, one line each."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", TAGS
    )
    return [
        f"{rule['id']}: {node['html'][:120]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(
    new_page: NewPage, server: Scripted, axe: str, state: State, width: int, scheme: str
) -> None:
    # Without motion, so that no colour is judged halfway through an animation.
    page = new_page(server.page, width, 844, color_scheme=scheme, reduced_motion="reduce")
    state(page)
    assert violations(page, axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_crisis_protocol(
    new_page: NewPage, server: Scripted, axe: str, scheme: str
) -> None:
    page = new_page(f"{server.page}crisis-protocol", 390, 844, color_scheme=scheme)
    assert violations(page, axe) == []


def test_everything_can_be_done_with_the_keyboard_alone(page: Page) -> None:
    def tab_to(name: str, key: str = "Tab") -> None:
        for _ in range(60):
            page.keyboard.press(key)
            if focused_name(page) == name:
                return
        raise AssertionError(f"the keyboard does not reach {name!r}")

    tab_to("Ask about ketamine therapy")
    page.keyboard.press("Enter")
    tab_to("Get help now")
    page.keyboard.press("Space")
    tab_to("Call 988")
    tab_to("Back to the chat")
    page.keyboard.press("Enter")
    assert focused(page) == "help-button"
    tab_to("I agree, start the chat")
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    page.keyboard.type("bladder?")
    page.keyboard.press("Enter")
    replies(page, "answer").wait_for()
    tab_to("Sources (5)", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("details a").first).to_be_visible()
    tab_to("Tell me more")
    page.keyboard.press("Enter")
    replies(page, "detail").wait_for()
    expect(box(page)).to_be_focused()
    tab_to("End chat", "Shift+Tab")
    page.keyboard.press("Enter")
    tab_to("End and delete", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start a new chat")).to_be_focused()
    page.keyboard.press("Escape")
    expect(launcher(page)).to_be_focused()


def focused_name(page: Page) -> str:
    return str(
        page.evaluate(
            """() => { let e = document.activeElement;
            while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
            return e ? (e.getAttribute("aria-label") || e.innerText || "").trim() : ""; }"""
        )
    )


def test_on_a_phone_the_keyboard_cannot_leave_the_open_chat(
    new_page: NewPage, server: Scripted
) -> None:
    page = new_page(server.page, 390, 844)
    start(page)
    for _ in range(15):
        page.keyboard.press("Tab")
        inside = page.evaluate("document.activeElement.tagName")
        assert inside in ("KAP-CHAT", "BODY")  # BODY: the browser's own controls


def test_the_focus_can_be_seen(page: Page) -> None:
    start(page)
    for name in ("Get help now", "End chat"):
        button = page.get_by_role("button", name=name)
        button.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert button.evaluate("e => getComputedStyle(e).outlineStyle") == "solid", name
        assert button.evaluate("e => parseFloat(getComputedStyle(e).outlineWidth)") >= 2


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("state", [open_chat, help_panel, answer, crisis, failed, ended])
def test_targets_are_44_pixels_high(
    new_page: NewPage, server: Scripted, state: State, width: int
) -> None:
    page = new_page(server.page, width, 844)
    state(page)
    small = page.evaluate(
        """() => [...document.querySelector("kap-chat").shadowRoot
        .querySelectorAll("button, a, summary, select, textarea")]
        // Links within a sentence are exempt (WCAG 2.5.8).
        .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".text, p"))
        .map((e) => [e.innerText || e.tagName, e.getBoundingClientRect()])
        .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
        .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
    )
    assert small == []


# 1280 x 1024 pixels seen at 400 %, and a small phone.
@pytest.mark.parametrize(("width", "height"), [(320, 256), (320, 568)])
@pytest.mark.parametrize("state", [open_chat, help_panel, answer, crisis, failed])
def test_zoomed_in_nothing_is_cut_off_and_help_stays_in_view(
    new_page: NewPage, server: Scripted, state: State, width: int, height: int
) -> None:
    page = new_page(server.page, width, height)
    state(page)
    sideways = page.evaluate(
        """() => [...document.querySelector("kap-chat").shadowRoot.querySelectorAll("dialog *")]
        .filter((e) => e.checkVisibility() && !e.matches(".hidden, .hidden *, svg, svg *")
          && (e.getBoundingClientRect().right > innerWidth + 1
            || e.getBoundingClientRect().left < -1)).map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert sideways == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("button", name="Get help now")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "height"), [(320, 256), (740, 360), (320, 568)])
def test_in_little_room_the_crisis_number_still_comes_into_view(
    new_page: NewPage, server: Scripted, width: int, height: int
) -> None:
    page = new_page(server.page, width, height)
    crisis(page)
    expect(replies(page, "crisis").get_by_role("link", name="Call 988")).to_be_in_viewport()


def test_right_to_left_pages_are_mirrored(new_page: NewPage, server: Scripted) -> None:
    page = new_page("about:blank")
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => document.documentElement.dir = 'rtl')"
    )
    page.goto(server.page)
    assert (launcher(page).bounding_box() or {})["x"] < 100
    start(page)
    dialog = page.get_by_role("dialog").bounding_box() or {}
    assert dialog["x"] < 100
    ask(page, "bladder?")
    replies(page, "answer").wait_for()
    bubble = page.locator(".person").bounding_box() or {}
    card = replies(page, "answer").bounding_box() or {}
    assert bubble["x"] <= card["x"] + 2


def test_nothing_moves_when_motion_is_not_wanted(new_page: NewPage, server: Scripted) -> None:
    page = new_page(server.page, reduced_motion="reduce")
    waiting(page)
    moving = page.evaluate(
        """() => [...document.querySelector("kap-chat").shadowRoot.querySelectorAll("*")]
        .flatMap((e) => e.getAnimations({ subtree: true })).length"""
    )
    assert moving == 0


def test_forced_colours_keep_borders_and_focus(new_page: NewPage, server: Scripted) -> None:
    page = new_page(server.page, forced_colors="active")
    crisis(page)
    card = replies(page, "crisis")
    assert card.evaluate("e => getComputedStyle(e).borderTopWidth") == "3px"
    send = page.get_by_role("button", name="Send")
    assert send.evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
