"""The whole way: widget, channel, model, rules and actions, in a real browser."""

from playwright.sync_api import expect

from guide.servers import Running, running
from tests.widget.conftest import NewPage
from tests.widget.steps import ask, open_chat, replies, start


def address(up: Running) -> str:
    return f"{up.assistant.url}/webhooks/web/"


def test_a_visit_from_consent_to_the_end(new_page: NewPage, up: Running) -> None:
    page = new_page("about:blank", 390, 844)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address(up))
    start(page)
    expect(replies(page, "disclosure")).to_contain_text("988")

    ask(page, "can ketamine hurt my bladder?")
    answer = replies(page, "answer").first
    expect(answer.get_by_role("heading")).to_contain_text("bladder")
    answer.locator("summary").click()
    expect(answer.locator("details a").first).to_be_visible()
    # The disclosure was given with the session, not again with the answer.
    expect(replies(page, "disclosure")).to_have_count(1)

    answer.get_by_role("button", name="Tell me more").click()
    expect(replies(page, "detail")).to_be_visible()
    related = replies(page, "detail").get_by_role("group", name="Related questions")
    related.get_by_role("button").first.click()
    expect(replies(page, "answer")).to_have_count(2)

    ask(page, "/restart")
    ask(page, "i want to kill myself")
    crisis = replies(page, "crisis")
    expect(crisis.get_by_role("link", name="Call 988")).to_be_in_viewport()

    page.reload()
    open_chat(page)
    expect(replies(page, "crisis")).to_be_visible()
    expect(page.locator(".person").first).to_contain_text("can ketamine hurt my bladder?")
    expect(page.locator(".person").nth(1)).to_contain_text("Tell me more")

    page.get_by_role("button", name="End chat").click()
    page.get_by_role("button", name="End and delete").click()
    expect(page.get_by_text("the conversation is deleted")).to_be_visible()
    assert complaints == []


def test_a_suggested_question_is_answered(new_page: NewPage, up: Running) -> None:
    page = new_page(address(up))
    start(page)
    page.get_by_role("group", name="Suggested questions").get_by_role("button").first.click()
    expect(replies(page, "answer")).to_be_visible()


def test_a_long_story_is_answered_kindly_and_a_crisis_in_it_is_seen(
    new_page: NewPage, up: Running
) -> None:
    page = new_page(address(up))
    start(page)
    story = "My neighbour has a garden and we often talk about the weather there. " * 40
    ask(page, story)
    expect(replies(page, "control")).to_be_visible(timeout=20_000)
    ask(page, story + "I want to kill myself tonight. " + story)
    expect(replies(page, "crisis")).to_be_visible(timeout=20_000)


def test_a_dead_action_server_leaves_crisis_replies_and_an_apology(
    new_page: NewPage, trained_model: object
) -> None:
    with running() as both:
        page = new_page(address(both))
        start(page)
        both.actions.stop()
        ask(page, "is ketamine a psychedelic?")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Something went wrong on my side")
        ask(page, "i want to kill myself")
        expect(replies(page, "crisis")).to_be_visible()
        both.rasa.stop()
        ask(page, "hello?")
        expect(page.get_by_role("alert").last).to_contain_text("No connection", timeout=15_000)
        page.get_by_role("button", name="Get help now").click()
        expect(page.locator(".help").get_by_role("link", name="Call 988")).to_be_visible()
        log = both.rasa.log.read_text(encoding="utf-8", errors="replace")
        for words in ("psychedelic", "kill myself", "hello?"):
            assert words not in log
