"""The report of `make evaluate`: what is written, and what moved since the last run."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from evaluation import pictures, report
from evaluation.own_examples import Study
from evaluation.safety import Rate
from evaluation.selective import Outcomes
from guide.bands import Thresholds
from guide.ranking_training import HeldOut

KEPT = Rate("kept <b>", 9, 10, at_least=0.8)
MISSED = Rate("missed", 2, 10, at_most=0.1)


def section(*rates: Rate, drawn: Figure | None = None) -> report.Section:
    return report.Section("Part", "A note.", rates, [("A picture.", drawn)] if drawn else [])


def outcomes() -> Outcomes:
    random = np.random.default_rng(0)
    return Outcomes(random.random(60), random.random(60) > 0.3, random.random(60) > 0.2)


def test_the_page_needs_nothing_else_and_escapes_what_it_shows(tmp_path: Path) -> None:
    report.write(
        tmp_path, [section(KEPT, MISSED, drawn=pictures.rates([KEPT, MISSED]))], "2026-01-01"
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "kept &lt;b&gt;" in page
    assert page.count(": missed") == 1
    for outside in ("<script", "<link", "src=", "@import", "url(http"):
        assert outside not in page


def test_what_moved_since_the_last_run_is_told_largest_first(tmp_path: Path) -> None:
    assert report.write(tmp_path, [section(KEPT, MISSED)], "2026-01-01") == []
    now = [
        Rate("kept <b>", 8, 10, at_least=0.8),
        Rate("missed", 0, 10, at_most=0.1),
        Rate("new", 1, 1),
    ]
    moves = report.write(tmp_path, [section(*now)], "2026-01-02")
    assert [move.name for move in moves] == ["missed", "kept <b>"]
    stored = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert stored["day"] == "2026-01-02"
    assert stored["rates"]["missed"]["kept"] is True
    assert "missed: 20.0% → 0.0%" in (tmp_path / "figures.md").read_text(encoding="utf-8")


def test_confusions_count_topics_alone() -> None:
    held_out = [
        HeldOut("faq/a", True, [("faq/b", 0.6), ("faq/a", 0.3)]),
        HeldOut("faq/a", True, [("faq/a", 0.9)]),
        HeldOut("faq/a", True, [("greet", 0.9), ("faq/a", 0.1)]),
        HeldOut("out_of_scope/x", True, [("faq/a", 0.2)]),
    ]
    study = Study(held_out, Thresholds(0.5, 0.1))
    assert study.confusions() == {("a", "b"): 1}
    found = study.outcomes()
    assert found.in_scope.tolist() == [True, True, True, False]
    assert found.right.tolist() == [False, True, True, False]
    assert pictures.stealing(study).axes


def test_every_picture_is_drawn() -> None:
    made = outcomes()
    for figure in (
        pictures.risk_coverage({"a": made}),
        pictures.reliability(made),
        pictures.bands(made, Thresholds(0.5, 0.1)),
    ):
        assert figure.axes[0].has_data()
