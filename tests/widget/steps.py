"""What a visitor does, step by step."""

from playwright.sync_api import Locator, Page


def launcher(page: Page) -> Locator:
    return page.get_by_role("button", name="Ask about ketamine therapy")


def open_chat(page: Page) -> None:
    launcher(page).click()


def start(page: Page) -> None:
    open_chat(page)
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("group", name="Suggested questions").wait_for()


def box(page: Page) -> Locator:
    return page.get_by_role("textbox")


def ask(page: Page, text: str) -> None:
    box(page).fill(text)
    box(page).press("Enter")


def replies(page: Page, kind: str = "") -> Locator:
    return page.locator(f".reply{'.' + kind if kind else ''}")


def focused(page: Page) -> str:
    """Return what has the focus: its id, class or tag."""
    return str(
        page.evaluate(
            """() => { let e = document.activeElement;
            while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
            return e ? e.id || e.className || e.tagName : ""; }"""
        )
    )
