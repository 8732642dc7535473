"""No sign of a text is lost, and only known links are links."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Page:
    """An empty page; the rendering is added to it by the test."""
    return browser.new_page()


# Signs that careless rendering drops or obeys, between any others.
pieces = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["<5%", ">140", "[see note]", "_", "*", "&amp;", "<b>", "\n", "\n\n\n", " "]),
    st.sampled_from(["https://a.example/x?y=1&z=(2).", "findahelpline.com", "a@b.com", "tel:1"]),
)
texts = st.lists(pieces, max_size=12).map("".join)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=texts)
def test_every_sign_of_a_text_is_shown(blank: Page, parts: str, text: str) -> None:
    if not blank.evaluate("typeof kapParts !== 'undefined'"):
        # As a script of the page, so that its name is known to later calls.
        blank.add_script_tag(content=parts)
    # Lone surrogates cannot travel to the browser, and the server sends none.
    text = text.encode("utf-8", "replace").decode()
    shown = blank.evaluate(
        "text => kapParts.paragraphs(text).map((p) => p.textContent).join('')", text
    )
    # Blank lines become the space between paragraphs.
    assert shown.replace("\n", "") == text.replace("\n", "")
    assert shown.count("\n") <= text.count("\n")


@pytest.mark.parametrize(
    ("url", "ok"),
    [
        ("https://a.example", True),
        ("mailto:a@b.example", True),
        ("tel:988", True),
        ("sms:988", True),
        ("http://a.example", False),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("file:///etc/passwd", False),
        ("//a.example", False),
        ("", False),
    ],
)
def test_only_known_schemes_are_linked(blank: Page, parts: str, url: str, ok: bool) -> None:
    blank.add_script_tag(content=parts)
    tag, text, rel = blank.evaluate(
        """url => { const e = kapParts.link(url, "text");
        return [e.tagName, e.textContent, e.getAttribute("rel")]; }""",
        url,
    )
    assert (tag == "A") == ok
    assert text == "text"
    if url.startswith("https:"):
        assert rel == "noopener noreferrer"


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://a.example/b.", ["https://a.example/b"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ("chat at 988lifeline.org.", ["https://988lifeline.org/"]),
        ("write to me@clinic.com", []),
        ("[x](javascript:alert(1))", []),
        ("http://a.example", []),
    ],
)
def test_addresses_in_a_text(blank: Page, parts: str, text: str, links: list[str]) -> None:
    blank.add_script_tag(content=parts)
    found = blank.evaluate(
        "text => kapParts.paragraphs(text).flatMap((p) => [...p.querySelectorAll('a')])"
        ".map((a) => a.href)",
        text,
    )
    assert [link.rstrip("/") for link in found] == [link.rstrip("/") for link in links]
