"""The manifests: least power, closed networks, secrets from files."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from guide.paths import ROOT

DEPLOY = ROOT / "deploy"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = [
    document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
OWN_IMAGES = {image["name"] for image in KUSTOMIZATION["images"]}


def pods() -> dict[str, dict[str, Any]]:
    """Return every pod's template by the name of what makes it."""
    found = {}
    for manifest in MANIFESTS:
        spec = manifest.get("spec") or {}
        if manifest["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            found[manifest["metadata"]["name"]] = spec["template"]
    return found


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {m["metadata"]["name"]: m["spec"] for m in MANIFESTS if m["kind"] == kind}


@pytest.mark.parametrize("name", pods())
def test_a_pod_has_no_power_that_it_does_not_need(name: str) -> None:
    spec = pods()[name]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"]["cpu"]
        pinned = re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", container["image"])
        assert pinned or container["image"] in OWN_IMAGES


@pytest.mark.parametrize("name", pods())
def test_secrets_are_files(name: str) -> None:
    for container in pods()[name]["spec"]["containers"]:
        for variable in container.get("env", []):
            assert "valueFrom" not in variable
            if re.search(r"SECRET|KEY|PASSWORD|TOKEN|URL", variable["name"]):
                assert variable["name"].endswith("_FILE")
                folders = [mount["mountPath"] for mount in container["volumeMounts"]]
                assert any(variable["value"].startswith(folder) for folder in folders)
    assert not [manifest for manifest in MANIFESTS if manifest["kind"] == "Secret"]


@pytest.mark.parametrize("name", [name for name in pods() if name != "purge"])
def test_a_pod_tells_whether_it_is_well(name: str) -> None:
    for container in pods()[name]["spec"]["containers"]:
        assert "livenessProbe" in container
    assert "readinessProbe" in pods()[name]["spec"]["containers"][0]


def test_an_assistant_in_trouble_stays_where_people_can_reach_it() -> None:
    """Without database or action server it still gives crisis replies, or the crisis line."""
    container = pods()["assistant"]["spec"]["containers"][0]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] == "/webhooks/web/health"


def test_only_the_proxy_is_public() -> None:
    services = of_kind("Service")
    assert {name for name, spec in services.items() if spec.get("type")} == {"nginx"}
    ports = [port["port"] for port in services["nginx"]["ports"]]
    assert ports == [80, 443]
    assert not [manifest for manifest in MANIFESTS if manifest["kind"] == "Ingress"]


def allowed(source: str, target: str, port: int) -> bool:
    """Return whether the policies let pods of `source` open `port` on pods of `target`."""
    return _side(source, target, port, "egress", "to") and _side(
        target, source, port, "ingress", "from"
    )


def _side(here: str, there: str, port: int, direction: str, key: str) -> bool:
    for policy in of_kind("NetworkPolicy").values():
        if not _selects(policy["podSelector"], here):
            continue
        for rule in policy.get(direction, []):
            ports = [entry["port"] for entry in rule["ports"]]
            peers = rule.get(key)
            named = [peer["podSelector"] for peer in peers or [] if "podSelector" in peer]
            if port in ports and (peers is None or any(_selects(s, there) for s in named)):
                return True
    return False


def _selects(selector: dict[str, Any], pod: str) -> bool:
    labels = pods()[pod]["metadata"]["labels"]
    return selector.get("matchLabels", {}).items() <= labels.items()


PORTS = {"nginx": 443, "assistant": 5005, "postgres": 5432, "redis": 6379, "purge": 1}
MAY = {
    ("nginx", "assistant"),
    ("assistant", "postgres"),
    ("assistant", "redis"),
    ("purge", "postgres"),
    ("purge", "redis"),
}


@pytest.mark.parametrize("source", PORTS)
@pytest.mark.parametrize("target", PORTS)
def test_networks_are_closed_but_for_what_is_needed(source: str, target: str) -> None:
    assert allowed(source, target, PORTS[target]) == ((source, target) in MAY)
    assert not allowed(source, target, 5055)  # the action server: its own pod's loopback alone


def test_everything_is_denied_first() -> None:
    nothing = of_kind("NetworkPolicy")["nothing"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_nobody_gets_out_unless_staff_channels_are_wanted() -> None:
    out = [
        name
        for name, policy in of_kind("NetworkPolicy").items()
        for rule in policy.get("egress", [])
        for peer in rule.get("to", [{}])
        if not {"podSelector", "namespaceSelector"} & set(peer)
    ]
    assert out == ["to-staff-channels"]
    assert "kubernetes/staff-channels.yaml" not in KUSTOMIZATION["resources"]


def test_the_kustomization_names_every_file() -> None:
    listed = {*KUSTOMIZATION["resources"], "kubernetes/staff-channels.yaml"}
    assert listed == {f"kubernetes/{path.name}" for path in (DEPLOY / "kubernetes").glob("*.yaml")}
    for generator in KUSTOMIZATION["configMapGenerator"]:
        for entry in generator.get("files", []):
            assert (DEPLOY / entry.split("=")[-1]).is_file(), entry


def test_names_that_refer_to_each_other_exist() -> None:
    maps = {generator["name"] for generator in KUSTOMIZATION["configMapGenerator"]}
    claims = of_kind("StatefulSet")["postgres"]["volumeClaimTemplates"]
    for name, template in pods().items():
        mounted = {volume["name"] for volume in template["spec"]["volumes"]}
        if name == "postgres":
            mounted |= {claim["metadata"]["name"] for claim in claims}
        for volume in template["spec"]["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in maps
        for container in template["spec"]["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= mounted
    for spec in of_kind("Service").values():
        assert any(_selects({"matchLabels": spec["selector"]}, pod) for pod in pods())


def test_kustomize_takes_it() -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed; the files were checked by reading them")
    done = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert {manifest["metadata"].get("namespace", "kap-guide") for manifest in built} == {
        "kap-guide"
    }
    assert "registry.example/kap-guide-assistant" in json.dumps(built)
