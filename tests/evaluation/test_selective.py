"""The measures of answering and declining, on outcomes whose figures are known."""

import numpy as np
import pytest

from evaluation.selective import (
    Outcomes,
    accuracy,
    answered_rightly,
    area_under_risk,
    coverage_at,
    risks,
    separation,
)

# Most confident first: right, right, wrong, right, out of scope.
OUTCOMES = Outcomes(
    np.array([0.9, 0.8, 0.7, 0.6, 0.1]),
    np.array([True, True, False, True, False]),
    np.array([True, True, True, True, False]),
)


def test_accuracy_counts_texts_in_scope_only() -> None:
    assert accuracy(OUTCOMES) == pytest.approx(3 / 4)


def test_separation_is_perfect_when_all_strays_come_last() -> None:
    assert separation(OUTCOMES) == 1
    upside_down = OUTCOMES._replace(confidence=-OUTCOMES.confidence)
    assert separation(upside_down) == 0


def test_risk_grows_with_every_wrong_answer() -> None:
    np.testing.assert_allclose(risks(OUTCOMES), [0, 0, 1 / 3, 1 / 4, 2 / 5])
    assert area_under_risk(OUTCOMES) == pytest.approx((1 / 3 + 1 / 4 + 2 / 5) / 5)


def test_an_answered_stray_counts_as_wrong() -> None:
    sure_of_stray = OUTCOMES._replace(confidence=np.array([0.9, 0.8, 0.7, 0.6, 1.0]))
    assert risks(sure_of_stray)[0] == 1


@pytest.mark.parametrize(("precision", "share"), [(1.0, 0.4), (0.75, 0.8), (0.6, 1.0)])
def test_coverage_is_the_largest_share_at_a_precision(precision: float, share: float) -> None:
    assert coverage_at(OUTCOMES, precision) == pytest.approx(share)


def test_no_share_can_be_answered_when_the_surest_answer_is_wrong() -> None:
    outcomes = OUTCOMES._replace(right=np.zeros(5, dtype=bool))
    assert coverage_at(outcomes, 0.9) == 0


@pytest.mark.parametrize(("strays", "share"), [(0.0, 1 / 4), (0.5, 2 / 4), (1.0, 3 / 4)])
def test_strays_set_the_threshold_of_what_is_answered_rightly(strays: float, share: float) -> None:
    # Most confident first: right, out of scope, right, wrong, out of scope, right.
    outcomes = Outcomes(
        np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]),
        np.array([True, False, True, False, False, True]),
        np.array([True, False, True, True, False, True]),
    )
    assert answered_rightly(outcomes, strays) == pytest.approx(share)


def test_a_tie_with_a_stray_is_not_answered() -> None:
    outcomes = Outcomes(np.full(2, 0.5), np.array([True, False]), np.array([True, False]))
    assert answered_rightly(outcomes, 0.0) == 0
