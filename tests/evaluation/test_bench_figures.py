"""The bench's figures: ratios with intervals, bars, and the report of a stored run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.bench import machine, report
from evaluation.bench.bars import bars
from evaluation.bench.timing import latency, ratio_of_medians

STORED = json.loads((Path(__file__).parent / "bench_result.json").read_text(encoding="utf-8"))


def series(factor: float, seed: int, drift: float = 0.0) -> list[float]:
    """Return 200 times of about `factor` x 20 ms, which become slower over the run."""
    noise = np.random.default_rng(seed).lognormal(0, 0.1, 200)
    return list(factor * 20 * noise * np.linspace(1, 1 + drift, 200))


def test_a_ratio_is_found_with_its_interval() -> None:
    ratio = ratio_of_medians(series(1.5, 1), series(1.0, 2))
    assert ratio.low < 1.5 < ratio.high
    assert ratio.low < ratio.value < ratio.high
    assert ratio.high - ratio.low < 0.2


def test_what_slows_both_down_does_not_widen_a_ratio() -> None:
    drift = np.linspace(1, 10, 200)
    above, below = 2 * drift, drift
    ratio = ratio_of_medians(above, below)
    assert ratio == pytest.approx((2, 2, 2))


@given(st.lists(st.floats(0.1, 1000), min_size=2, max_size=30))
def test_a_series_is_as_fast_as_itself(times: list[float]) -> None:
    assert ratio_of_medians(times, times) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize("lengths", [(2, 3), (1, 1), (0, 0)])
def test_series_that_do_not_belong_together_give_no_ratio(lengths: tuple[int, int]) -> None:
    above, below = lengths
    with pytest.raises(ValueError, match="same rounds"):
        ratio_of_medians([1.0] * above, [1.0] * below)


def test_a_latency_tells_the_tail() -> None:
    assert latency([float(n) for n in range(1, 102)]) == (101, 51.0, 96.0, 100.0)


def ratio(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


@pytest.mark.parametrize(
    ("part", "measured", "kept"),
    [
        ("turns", {"ratios": {"answer: ours / floor": ratio(1.5)}}, [True]),
        ("turns", {"ratios": {"crisis: ours / floor": ratio(1.51)}}, [False]),
        ("turns", {"ratios": {"answer: default / ours": ratio(2.4)}}, [False]),
        ("turns", {"ratios": {"crisis: default / ours": ratio(1.0)}}, []),
        ("length", {"ratios": {"ours: turn 200 / turn 1": ratio(1.6)}}, [False]),
        ("length", {"ratios": {"default: turn 200 / turn 1": ratio(9.0)}}, []),
        ("growth", {"ratios": {"1000 topics / 100 topics": ratio(1.4)}}, [True]),
        (
            "throughput",
            {
                "rows": [
                    {"assistant": name, "visitors": visitors, "p95": p95}
                    for name, visitors, p95 in (
                        ("ours", 1, 90.0),
                        ("ours", 32, 40.0),
                        ("default", 1, 10.0),
                        ("default", 32, 100.0),
                    )
                ]
            },
            [True],
        ),
        (
            "start",
            {
                "rows": [
                    {"assistant": "default", "seconds": 20.0, "assistant_mb": 1000},
                    {"assistant": "ours", "seconds": 9.0, "assistant_mb": 600},
                ]
            },
            [True, False],
        ),
        (
            "training",
            {
                "factor": 12.0,
                "rows": [
                    {"assistant": "ours", "seconds": 80.0},
                    {"assistant": "default", "seconds": None},
                ],
            },
            [True],
        ),
        (
            "training",
            {
                "factor": 12.0,
                "rows": [
                    {"assistant": "ours", "seconds": 80.0},
                    {"assistant": "default", "seconds": 790.0},
                ],
            },
            [False],
        ),
    ],
)
def test_bars_are_kept_or_missed(part: str, measured: dict[str, Any], kept: list[bool]) -> None:
    assert [bar.kept for bar in bars({part: measured})] == kept


def test_nothing_measured_has_no_bars() -> None:
    assert bars({}) == []


def test_the_page_of_a_stored_run_needs_nothing_else(tmp_path: Path) -> None:
    report.write(tmp_path, STORED)
    page = (tmp_path / "bench.html").read_text(encoding="utf-8")
    assert page.count("<svg") == len(report.PARTS)
    for outside in ("<script", "<link", "src=", "@import", "url(http"):
        assert outside not in page
    assert json.loads((tmp_path / "bench.json").read_text(encoding="utf-8")) == STORED


def test_markdown_tells_every_bar_and_every_part() -> None:
    told = report.markdown(STORED)
    for title, _ in report.PARTS.values():
        assert f"## {title}" in told
    for bar in STORED["bars"]:
        assert bar["name"] in told
    missed = [bar for bar in STORED["bars"] if not bar["kept"]]
    assert missed
    assert told.count("**missed**") == len(missed)


def test_a_part_that_was_not_measured_is_left_out() -> None:
    only = {**STORED, "parts": {"turns": STORED["parts"]["turns"]}}
    assert "## Throughput" not in report.markdown(only)
    assert report.page(only).count("<svg") == 1


def test_a_busy_machine_is_told() -> None:
    busy = {**STORED, "machine": {**STORED["machine"], "load": 6.0}}
    quiet = {**STORED, "machine": {**STORED["machine"], "load": 0.1}}
    assert "busy" in report.markdown(busy)
    assert "busy" not in report.markdown(quiet)


def test_this_machine_is_described() -> None:
    about = machine.describe()
    assert about["cores"] >= 1
    assert about["packages"]["rasa"] in machine.sentence(about)
