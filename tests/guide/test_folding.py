"""Folding: many ways of typing the same words become one, and numbers stay numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guide.folding import fold, is_plain, unleet
from guide.respelling import Respeller

LINE = "i do not want to be alive"
PLAIN = "I don't want to be alive"
KNOWN = frozenset({"kill", "myself", "suicide", "suicidal", "overdose", "please"})


def latin_in_mathematical_bold(text: str) -> str:
    return "".join(chr(0x1D41A + ord(s) - 97) if "a" <= s <= "z" else s for s in text.lower())


@pytest.mark.parametrize(
    "typed",
    [
        PLAIN,
        PLAIN.upper(),
        "I dont want to be alive",
        "I don\u2019t want to be alive",
        "I don\u2018t want to be alive",
        "I don\u02bct want to be alive",
        "I don\u2032t want to be alive",
        "I  don't\twant  to be alive",
        "I d\u043en't w\u0430nt t\u043e b\u0435 \u0430l\u0456v\u0435",
        "I dön't wänt tö bé alïvé",
        "I do\u200bn't wa\u200cnt to b\u200de ali\ufeffve",
        "I do\u00adn't want to be al\u00adive",
        "I don&#39;t want to be ali&#118;e",
        "I d.o.n.'.t w.a.n.t to be a.l.i.v.e",
        "I don't want to be a_l_i_v_e",
        "I 😔 don't 😔 want 😔 to be alive",
        "\u202eevila eb ot tnaw t'nod I",
        latin_in_mathematical_bold(PLAIN),
        "I don't want to be a l i v e",
        "S\u0336I don't want to be alive"[2:],
    ],
)
def test_tricks_make_no_difference(typed: str) -> None:
    assert fold(typed) == LINE


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("m y  l i f e", "my life"),
        ("pleeeease", "pleease"),
        ("🔫 or 💊", "gun or pills"),
        ("🅺🅸🅻🅻", "kill"),
        ("0.5 mg, 85258 and 50mg", "0.5 mg , 85258 and 50 mg"),
        ("She's gone and it's my dad's", "she is gone and it is my dad"),
        ("I\ntook\ntoo\nmany", "i took too many"),
        ("This is one long line\nand another", "this is one long line . and another"),
        ("", ""),
        ("\u0000\u200b", ""),
    ],
)
def test_what_is_kept(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("k1ll mys3lf", "kill myself"),
        ("ki11 myse1f", "kill myself"),
        ("5uic1dal", "suicidal"),
        ("$uicide", "suicide"),
        ("1 w4n7 70 d13", "i want to die"),
        ("i want to k!ll myself!", "i want to kill myself !"),
    ],
)
def test_figures_inside_words_are_letters(typed: str, read: str) -> None:
    assert unleet(typed, KNOWN) == read


@pytest.mark.parametrize("typed", ["0.5 mg", "85258", "50mg of it", "at 9:30", "in 2015", "$500"])
def test_numbers_have_no_second_view(typed: str) -> None:
    assert unleet(typed, KNOWN) is None


def test_plain_text_is_recognised() -> None:
    assert is_plain("What's ketamine? It costs $500.")
    assert is_plain("It\u2019s plain")
    assert not is_plain("k i l l")
    assert not is_plain("k\u0456ll")


@pytest.fixture
def respeller() -> Respeller:
    spellings = {"kms": "kill myself", "unalive": "kill"}
    return Respeller(spellings, KNOWN, {"therapist", "pleasure"})


@pytest.mark.parametrize(
    ("folded", "meant"),
    [
        ("kms", "kill myself"),
        ("unalive", "kill"),
        ("k*ll", "kill"),
        ("s**cide", "suicide"),
        ("sui-cide", "suicide"),
        ("self-harm", "self harm"),
        ("killmyself", "kill myself"),
        ("ikillmyself", "i kill myself"),
        ("myeslf", "myself"),
        ("suicde", "suicide"),
        ("pleease", "please"),
        ("therapist", "therapist"),
        ("pleasure", "pleasure"),
        ("bill", "bill"),
    ],
)
def test_words_are_repaired(respeller: Respeller, folded: str, meant: str) -> None:
    assert respeller.repair(folded) == meant


@given(st.text(max_size=300))
def test_any_text_folds_to_small_words(text: str) -> None:
    folded = fold(text)
    assert folded == folded.strip()
    assert "  " not in folded
    assert not any("A" <= sign <= "Z" for sign in folded)
    unleet(text, KNOWN)


@given(
    st.lists(
        st.sampled_from(["\u200b", "\u200d", "\u00ad", "\ufeff", "\u0301"]), min_size=9, max_size=9
    )
)
def test_invisible_signs_never_matter(signs: list[str]) -> None:
    letters = "kill myself"
    typed = (
        letters[0]
        + "".join(s + c for s, c in zip(signs, letters[1:10], strict=True))
        + letters[10:]
    )
    assert fold(typed) == letters
