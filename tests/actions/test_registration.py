"""The domain and the action server know the same actions."""

from rasa_sdk.executor import ActionExecutor

from guide.content import load_yaml
from guide.paths import DATA, ROOT


def test_every_action_of_the_domain_is_registered_and_the_other_way_round() -> None:
    executor = ActionExecutor()
    executor.register_package("actions")
    declared = {
        name for name in load_yaml(ROOT / "domain.yml")["actions"] if name.startswith("action_")
    }
    assert declared == set(executor.actions)


def test_every_rule_leads_to_something_that_exists() -> None:
    domain = load_yaml(ROOT / "domain.yml")
    responses = {
        key for path in DATA.rglob("*.yml") for key in load_yaml(path).get("responses") or {}
    }
    retrieval = {key.split("/")[0] for key in responses if "/" in key}
    known = set(domain["actions"]) | responses | retrieval
    intents = {next(iter(entry)) for entry in domain["intents"]}
    ruled = set()
    for path in DATA.rglob("rules.yml"):
        for rule in load_yaml(path)["rules"]:
            intent, action = (next(iter(step.values())) for step in rule["steps"])
            assert action in known, rule["rule"]
            ruled.add(intent)
    assert ruled == intents - {"harmless"}  # examples for the safety gate alone, never predicted
