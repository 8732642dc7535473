"""The alert rules ask for metrics that exist."""

import re
from pathlib import Path

import yaml

from channels.web_metrics import WebMetrics
from guide.paths import ROOT
from guide.reply import KINDS, Reply

RULES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"][0][
    "rules"
]
EXPRESSIONS = " ".join(rule["expr"] for rule in RULES)


def test_every_metric_is_really_told() -> None:
    metrics = WebMetrics()
    metrics.turn([Reply("answer", "x")], 0.1)
    metrics.failure("turn")
    told = set(re.findall(r"^(kap_web_\w+)", metrics.render().decode(), re.MULTILINE))
    assert set(re.findall(r"kap_web_\w+", EXPRESSIONS)) <= told


def test_kinds_and_reasons_exist() -> None:
    assert set(re.findall(r'kind="(\w+)"', EXPRESSIONS)) <= KINDS
    code = "".join(path.read_text() for path in Path(ROOT / "channels").glob("web*.py"))
    for reasons in re.findall(r'reason=~?"([\w|]+)"', EXPRESSIONS):
        for reason in reasons.split("|"):
            assert f'"{reason}"' in code, reason


def test_every_rule_says_what_to_do_and_whether_to_wake_somebody() -> None:
    for rule in RULES:
        assert rule["annotations"]["do"]
        assert rule["labels"]["wake"] in ("yes", "no")
