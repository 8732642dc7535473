"""The chat as a visitor meets it, in a real browser over the scripted server."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from guide.conversations import conversation_store
from tests.widget.conftest import NewPage
from tests.widget.scripted import Scripted
from tests.widget.steps import ask, box, focused, launcher, open_chat, replies, start

# The first view


def test_the_launcher_opens_a_named_dialog_and_gets_the_focus_back(page: Page) -> None:
    button = launcher(page)
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    dialog = page.get_by_role("dialog", name="KAP Guide")
    expect(dialog).to_be_visible()
    assert focused(page) == "title"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert focused(page) == "launcher"
    expect(button).to_have_attribute("aria-expanded", "false")


def test_the_first_view_tells_what_it_is_before_anything_can_be_typed(page: Page) -> None:
    open_chat(page)
    view = page.locator(".welcome")
    for words in ("automated program (AI)", "Not a person", "988", "911", "What you type"):
        expect(view).to_contain_text(words)
    expect(view).to_contain_text("What does a session feel like?")
    expect(box(page)).to_be_hidden()
    protocol = page.get_by_role("link", name="What happens in a crisis")
    assert (protocol.get_attribute("href") or "").endswith("/webhooks/web/crisis-protocol")


def test_nothing_is_sent_before_consent(new_page: NewPage, server: Scripted) -> None:
    page = new_page("about:blank")
    called: list[str] = []
    page.on("request", lambda request: called.append(request.method))
    page.goto(server.page)
    open_chat(page)
    page.wait_for_timeout(300)
    assert "POST" not in called


def test_consent_starts_the_chat_with_disclosure_and_questions(page: Page) -> None:
    start(page)
    expect(replies(page, "disclosure")).to_contain_text("not a human")
    questions = page.get_by_role("group", name="Suggested questions").get_by_role("button")
    assert questions.count() >= 3
    assert focused(page) == "input"


# Help


def test_help_is_always_there_and_needs_no_server(page: Page) -> None:
    page.context.set_offline(True)
    open_chat(page)
    page.get_by_role("button", name="Get help now").click()
    assert focused(page) == "help-title"
    call = page.get_by_role("link", name="Call 988")
    assert call.get_attribute("href") == "tel:988"
    assert page.get_by_role("link", name="Text 988").get_attribute("href") == "sms:988"
    expect(page.get_by_role("link", name="Call Poison Help 1-800-222-1222")).to_be_visible()
    page.get_by_label("Where are you?").select_option("UK")
    expect(page.get_by_role("link", name="Call Samaritans 116 123")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".help")).to_be_hidden()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert focused(page) == "help-button"


def test_help_stays_in_view_in_the_middle_of_a_chat(page: Page) -> None:
    start(page)
    ask(page, "bladder?")
    replies(page, "answer").wait_for()
    expect(page.get_by_role("button", name="Get help now")).to_be_in_viewport()


# Answers


def test_an_answer_shows_title_text_sources_and_questions(page: Page) -> None:
    start(page)
    ask(page, "bladder?")
    answer = replies(page, "answer")
    expect(answer.get_by_role("heading")).to_have_text("Can ketamine harm the bladder?")
    assert answer.locator(".text p").count() == 2
    links = answer.locator("details a")
    expect(links.first).to_be_hidden()
    answer.locator("summary").click()
    expect(links.first).to_be_visible()
    assert links.first.get_attribute("rel") == "noopener noreferrer"
    expect(answer.locator("details")).to_contain_text("No clinician has reviewed this text yet.")
    answer.get_by_role("button", name="Tell me more").click()
    expect(replies(page, "detail")).to_be_visible()
    related = replies(page, "detail").get_by_role("group", name="Related questions")
    title = related.get_by_role("button").first.inner_text()
    related.get_by_role("button").first.click()
    expect(replies(page, "answer").nth(1).get_by_role("heading")).to_have_text(title)
    expect(page.locator(".person").last).to_contain_text(title)
    assert focused(page) == "input"


def test_an_answer_can_be_judged_once_and_the_conversation_goes_on(page: Page) -> None:
    start(page)
    ask(page, "bladder?")
    judging = replies(page, "answer").get_by_role("group", name="Did this help?")
    expect(judging.get_by_role("button")).to_have_count(2)
    judging.get_by_role("button", name="This did not help").click()
    expect(replies(page, "answer").locator(".judge")).to_have_text(
        "Thank you for saying so. You can ask again in other words, or ask for a person."
    )
    expect(judging.get_by_role("button")).to_have_count(0)
    assert focused(page) == "input"
    assert page.locator(".person").count() == 1, "a judgement is no message"
    expect(replies(page, "control")).to_have_count(0)


def test_a_judgement_that_is_lost_can_be_given_again(page: Page) -> None:
    start(page)
    ask(page, "bladder?")
    helped = replies(page, "answer").get_by_role("button", name="This helped")
    page.route("**/messages", lambda route: route.fulfill(status=500, json={"error": "failed"}))
    helped.click()
    page.unroute("**/messages")
    expect(helped).to_be_enabled()
    helped.click()
    expect(replies(page, "answer").locator(".judge")).to_contain_text("Thank you")


@pytest.mark.parametrize(("text", "kind"), [("hm", "clarify"), ("i will kill myself", "crisis")])
def test_only_answers_can_be_judged(page: Page, text: str, kind: str) -> None:
    start(page)
    ask(page, text)
    replies(page, kind).wait_for()
    expect(page.locator(".judge")).to_have_count(0)


def test_a_crisis_reply_has_numbers_to_press_and_written_out(page: Page) -> None:
    start(page)
    ask(page, "i want to kill myself")
    card = replies(page, "crisis")
    first = card.get_by_role("link").first
    expect(first).to_have_text("Call 988")
    expect(first).to_be_in_viewport()
    assert first.get_attribute("href") == "tel:988"
    assert card.get_by_role("link", name="Text 988").get_attribute("href") == "sms:988"
    expect(card.get_by_role("link", name="Call 911")).to_be_visible()
    expect(card.locator(".text")).to_contain_text("988")
    expect(box(page)).to_be_enabled()


def test_an_answer_does_not_take_the_focus_and_its_beginning_is_in_view(page: Page) -> None:
    start(page)
    ask(page, "slow bladder?")
    page.get_by_role("button", name="Get help now").focus()
    replies(page, "answer").wait_for()
    assert focused(page) == "help-button"
    expect(replies(page, "answer").get_by_role("heading")).to_be_in_viewport()


def test_the_live_region_says_only_the_new_text_and_falls_silent(page: Page) -> None:
    start(page)
    live = page.locator("[aria-live]:not([role=log])")
    expect(live).to_have_text("", timeout=4000)
    ask(page, "say hello")
    expect(live).to_have_text("hello")
    expect(live).to_have_text("", timeout=4000)
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "off")


def test_markup_in_a_text_is_shown_and_not_obeyed(page: Page) -> None:
    start(page)
    text = "Risk is <5% & BP >140 [see _note_] <img src=x onerror=alert(1)> *bold*"
    ask(page, f"say {text}")
    expect(replies(page, "smalltalk")).to_have_text(text)
    expect(page.locator(".person").last).to_contain_text(text)
    assert page.locator("img").count() == 0


def test_a_waiting_visitor_sees_that_something_happens(page: Page) -> None:
    start(page)
    ask(page, "slow bladder?")
    expect(page.locator(".waiting")).to_contain_text("Looking for the answer")
    replies(page, "answer").wait_for()
    expect(page.locator(".waiting")).to_have_count(0)


def test_a_very_slow_answer_says_so(new_page: NewPage, server: Scripted) -> None:
    page = new_page("about:blank")
    page.clock.install()
    page.goto(server.page)
    start(page)
    page.route("**/messages", lambda route: None)  # neither answered nor refused
    ask(page, "bladder?")
    page.clock.run_for(9000)
    expect(page.locator(".waiting")).to_contain_text("longer than usual")


# Typing


def test_enter_sends_and_shift_enter_makes_a_line(page: Page) -> None:
    start(page)
    box(page).fill("one")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("two")
    assert box(page).input_value() == "one\ntwo"
    box(page).press("Enter")
    expect(page.locator(".person").last).to_contain_text("one\ntwo")


def test_enter_belongs_to_the_input_method_while_composing(page: Page) -> None:
    start(page)
    box(page).fill("かな")
    for options in ({"isComposing": True}, {"keyCode": 229}):
        box(page).evaluate(
            """(element, options) => element.dispatchEvent(new KeyboardEvent("keydown",
            { key: "Enter", bubbles: true, composed: true, cancelable: true, ...options }))""",
            options,
        )
    assert box(page).input_value() == "かな"
    assert page.locator(".person").count() == 0


def test_the_limit_is_told_and_nothing_is_cut_off(page: Page) -> None:
    start(page)
    box(page).fill("a" * 1850)
    expect(page.locator("#count")).to_have_text("150 characters left")
    box(page).fill("a" * 2010)
    expect(page.locator("#count")).to_contain_text("10 characters too many")
    assert len(box(page).input_value()) == 2010
    box(page).press("Enter")
    expect(replies(page, "control")).to_contain_text("too long")


# When things fail


def cut(page: Page) -> None:
    page.route("**/messages", lambda route: route.abort())


def test_a_lost_connection_keeps_the_text_and_sends_it_once(page: Page, server: Scripted) -> None:
    start(page)
    server.agent.received.clear()
    cut(page)
    ask(page, "bladder?")
    expect(page.locator(".waiting")).to_contain_text("Trying again")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("No connection", timeout=15_000)
    expect(alert.get_by_role("link", name="Call 988")).to_be_visible()
    expect(page.locator(".person").last).to_contain_text("bladder?")
    page.unroute("**/messages")
    alert.get_by_role("button", name="Try again").click()
    expect(replies(page, "answer")).to_be_visible()
    assert page.get_by_role("alert").count() == 0
    assert len(server.agent.received) == 1


def test_an_answer_lost_on_its_way_is_fetched_and_not_made_again(
    page: Page, server: Scripted
) -> None:
    start(page)
    server.agent.received.clear()
    lost: list[bool] = []

    def lose_the_first_answer(route: Route) -> None:
        response = route.fetch()
        if lost:
            route.fulfill(response=response)
        else:
            lost.append(True)
            route.abort()

    page.route("**/messages", lose_the_first_answer)
    ask(page, "bladder?")
    expect(replies(page, "answer")).to_be_visible(timeout=15_000)
    assert len(server.agent.received) == 1


def test_coming_online_again_sends_what_was_lost(page: Page) -> None:
    start(page)
    page.context.set_offline(True)
    ask(page, "bladder?")
    expect(page.get_by_role("alert")).to_be_visible(timeout=15_000)
    page.context.set_offline(False)
    expect(replies(page, "answer")).to_be_visible()


def test_a_failing_server_shows_its_safety_message(page: Page) -> None:
    start(page)
    ask(page, "fail")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Something went wrong on my side")
    expect(alert.get_by_role("link", name="Call 988")).to_be_visible()
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "body"), [(502, "<html>Bad gateway"), (200, "[]"), (200, "null"), (500, "")]
)
def test_an_answer_that_is_none_shows_the_card_with_the_numbers(
    page: Page, status: int, body: str
) -> None:
    start(page)
    page.route("**/messages", lambda route: route.fulfill(status=status, body=body))
    ask(page, "bladder?")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Your message is kept here")
    expect(alert.get_by_role("link", name="Call 988")).to_be_visible()


def test_too_many_messages_are_told_with_the_time_to_wait(page: Page) -> None:
    start(page)
    page.route(
        "**/messages", lambda route: route.fulfill(status=429, headers={"Retry-After": "17"})
    )
    ask(page, "bladder?")
    expect(page.get_by_role("alert")).to_contain_text("17 seconds")


def test_no_server_at_the_start_shows_the_numbers(page: Page) -> None:
    page.route("**/session", lambda route: route.abort())
    open_chat(page)
    page.get_by_role("button", name="I agree").click()
    alert = page.get_by_role("alert")
    expect(alert.get_by_role("link", name="Call 988")).to_be_visible()
    page.unroute("**/session")
    alert.get_by_role("button", name="Try again").click()
    expect(replies(page, "disclosure")).to_be_visible()


# Sessions


def stored(page: Page) -> str:
    return str(page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])"))


def test_a_reload_brings_the_chat_back_from_the_server(page: Page) -> None:
    start(page)
    ask(page, "bladder?")
    replies(page, "answer").wait_for()
    page.reload()
    open_chat(page)
    expect(replies(page, "answer")).to_be_visible()
    expect(page.locator(".person")).to_contain_text("bladder?")
    page.get_by_role("button", name="Tell me more").click()
    expect(replies(page, "detail")).to_be_visible()


def test_no_word_is_stored_in_the_browser(page: Page) -> None:
    start(page)
    ask(page, "my bladder secret")
    replies(page, "answer").wait_for()
    kept = stored(page)
    assert "token" in kept
    assert "bladder" not in kept
    assert page.context.cookies() == []


def test_ending_asks_deletes_and_forgets(page: Page, server: Scripted) -> None:
    start(page)
    server.agent.received.clear()
    ask(page, "bladder?")
    replies(page, "answer").wait_for()
    conversation = server.agent.received[-1].sender_id
    assert conversation in conversation_store().names()
    page.get_by_role("button", name="End chat").click()
    assert focused(page) == "secondary"
    page.get_by_role("button", name="Keep chatting").click()
    expect(replies(page, "answer")).to_be_visible()
    page.get_by_role("button", name="End chat").click()
    page.get_by_role("button", name="End and delete").click()
    expect(page.get_by_text("the conversation is deleted")).to_be_visible()
    assert conversation not in conversation_store().names()
    assert "token" not in stored(page)
    page.get_by_role("button", name="Start a new chat").click()
    expect(page.locator(".welcome")).to_be_visible()


def test_ending_without_a_server_says_what_is_left_to_do(page: Page) -> None:
    start(page)
    page.context.set_offline(True)
    page.get_by_role("button", name="End chat").click()
    page.get_by_role("button", name="End and delete").click()
    expect(page.get_by_text("could not be reached to delete it")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("the conversation is deleted")).to_be_visible()


def test_a_session_that_ran_out_loses_no_message(page: Page) -> None:
    start(page)
    ask(page, "bladder?")
    button = replies(page, "answer").get_by_role("button", name="Tell me more")
    page.evaluate(
        """() => { for (const key in sessionStorage) if (key.startsWith("kap-chat")) {
        const kept = JSON.parse(sessionStorage[key]);
        sessionStorage[key] = JSON.stringify({...kept, token: "a.b.c"}); } }"""
    )
    page.reload()
    open_chat(page)
    # History is refused, so the first view is back.
    expect(page.locator(".welcome")).to_be_visible()
    page.get_by_role("button", name="I agree").click()
    ask(page, "bladder?")
    button.wait_for()
    page.route(re.compile("/messages$"), _with_a_bad_token_once())
    ask(page, "what are the risks")
    expect(page.get_by_text("this is a new one")).to_be_visible()
    expect(replies(page, "answer").last).to_contain_text("risks")
    # A button of the old session still says what was meant.
    button.first.click()
    expect(page.locator(".person").last).to_contain_text("Tell me more")
    expect(replies(page, "clarify")).to_be_visible()


def _with_a_bad_token_once():  # type: ignore[no-untyped-def]
    used: list[bool] = []

    def handle(route: Route) -> None:
        headers = route.request.headers
        if not used:
            used.append(True)
            headers = {**headers, "authorization": "Bearer a.b.c"}
        route.continue_(headers=headers)

    return handle


# What the page learns


def test_the_page_is_told_what_happens_and_never_what_is_said(page: Page) -> None:
    page.evaluate(
        """() => { window.told = []; for (const name of ["open", "close", "start", "message",
        "reply", "error", "end"]) addEventListener("kap-" + name,
        (event) => told.push([event.type, event.detail])); }"""
    )
    start(page)
    ask(page, "bladder?")
    replies(page, "answer").wait_for()
    page.get_by_role("button", name="Close chat").click()
    told = page.evaluate("told")
    assert [name for name, _ in told] == [
        "kap-open",
        "kap-start",
        "kap-message",
        "kap-reply",
        "kap-close",
    ]
    assert all(detail is None for _, detail in told)


def test_attributes_set_title_labels_lines_and_colours(new_page: NewPage, server: Scripted) -> None:
    page = new_page(server.page)
    lines = {
        "call": "call Hope on 123",
        "text": "text 456",
        "emergency": "112",
        "numbers": [{"label": "Call Hope 123", "tel": "123"}],
    }
    page.evaluate(
        """([lines]) => { document.querySelector("kap-chat").remove();
        const chat = document.createElement("kap-chat");
        const server = document.querySelector("script").src.replace("/kap-chat.js", "");
        for (const [name, value] of Object.entries({ "server-url": server, accent: "#ffd24d",
          "widget-title": "Lotus", labels: '{"launcher": "Frag uns"}', position: "left",
          "privacy-url": "javascript:alert(1)", "crisis-lines": JSON.stringify(lines) }))
          chat.setAttribute(name, value);
        document.body.append(chat); }""",
        [lines],
    )
    button = page.get_by_role("button", name="Frag uns")
    assert button.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 210, 77)"
    assert button.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
    assert (button.bounding_box() or {})["x"] < 100
    button.click()
    expect(page.get_by_role("dialog", name="Lotus")).to_be_visible()
    assert page.locator("a[href^='javascript']").count() == 0
    page.get_by_role("button", name="Get help now").click()
    expect(page.get_by_role("link", name="Call Hope 123")).to_be_visible()
    expect(page.locator(".help")).not_to_contain_text("988")
