"""The second view of a text: what is left of a question without the words that labels share."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from guide.views import Views, find_shared_words

QUESTIONS = {
    "a": ["how long does ketamine last", "is ketamine quick"],
    "b": ["does ketamine hurt the bladder", "ketamine and pee"],
    "c": ["what does a lozenge cost", "price of ketamine"],
    "d": ["how long is a visit", "session length"],
}


class LengthEncoder:
    """Encodes a text as its length, so that a test sees what was encoded."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([[len(text)] for text in texts], dtype=np.float32)


def test_content_words_of_half_the_labels_are_shared_and_function_words_are_not() -> None:
    texts = [text for group in QUESTIONS.values() for text in group]
    labels = [label for label, group in QUESTIONS.items() for _ in group]
    # "how" stands in two labels of four as well, but it makes the question.
    assert find_shared_words(texts, labels) == ["ketamine", "long"]


def test_the_rest_keeps_the_question() -> None:
    views = Views(LengthEncoder(), ["ketamine", "therapy"])
    assert views.rest("How quickly does Ketamine therapy, work?") == "How quickly does work?"


def test_a_text_of_shared_words_alone_is_left_whole() -> None:
    views = Views(LengthEncoder(), ["ketamine", "therapy"])
    assert views.rest("ketamine therapy?") == "ketamine therapy?"


def test_both_views_stand_side_by_side_and_known_embeddings_are_not_made_again() -> None:
    views = Views(LengthEncoder(), ["ketamine"])
    encoded = views.encode(["why ketamine now"]) / np.sqrt(0.5)
    np.testing.assert_allclose(encoded, [[16, 7]], rtol=1e-6)
    known = views.encode(["why ketamine now"], np.array([[3]], dtype=np.float32)) / np.sqrt(0.5)
    np.testing.assert_allclose(known, [[3, 7]], rtol=1e-6)


def test_a_text_that_is_left_whole_is_not_encoded_again() -> None:
    views = Views(LengthEncoder(), ["ketamine"])
    known = np.array([[3], [4]], dtype=np.float32)
    encoded = views.encode(["will it rain", "why ketamine now"], known) / np.sqrt(0.5)
    np.testing.assert_allclose(encoded, [[3, 3], [4, 7]], rtol=1e-6)


@given(st.text(max_size=200))
def test_any_text_has_a_rest(text: str) -> None:
    rest = Views(LengthEncoder(), ["ketamine"]).rest(text)
    assert rest == text or len(rest.split()) >= 2
