"""deploy/compose.yml, looked at as Compose reads it."""

import re
from typing import Any

import pytest
import yaml

from guide.paths import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PINNED = re.compile(r"docker\.io/library/[a-z]+:[\w.-]+@sha256:[0-9a-f]{64}")
SECRET = re.compile(r"secret|password|token|key|_url$", re.IGNORECASE)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_power_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode"} & set(service)


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "purge"])
def test_a_service_tells_whether_it_is_well(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    published = {name for name, service in SERVICES.items() if service.get("ports")}
    assert published == {"nginx"}
    assert SERVICES["nginx"]["ports"] == ["80:80", "443:443"]
    assert SERVICES["nginx"]["networks"] == ["front"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    for name in ("actions", "postgres", "redis", "purge"):
        assert SERVICES[name]["networks"] == ["back"]


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_files_and_only_to_those_who_need_them(name: str) -> None:
    service = SERVICES[name]
    given = set(service.get("secrets", []))
    assert given <= set(COMPOSE["secrets"])
    for variable, value in service.get("environment", {}).items():
        if SECRET.search(variable.removesuffix("_FILE")):
            assert variable.endswith("_FILE"), variable
            assert str(value).startswith("/run/secrets/"), variable
    if name != "nginx":
        assert not {"tls_key", "tls_certificate"} & given
    if name == "nginx":
        assert given == {"tls_key", "tls_certificate"}
    if name == "actions":
        assert not given
    assert all(entry["file"].startswith("./secrets/") for entry in COMPOSE["secrets"].values())


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_or_built_here(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        assert service["build"]["target"] in ("assistant", "actions")
    else:
        assert PINNED.fullmatch(service["image"])


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).exists(), source
                assert volume.endswith(":ro")
            elif not source.startswith("$"):
                assert source in COMPOSE["volumes"]


def test_dependencies_and_the_proxy_name_services_that_exist() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
    upstreams = re.findall(r"server ([\w-]+):5005", (DEPLOY / "nginx" / "compose.conf").read_text())
    assert upstreams == ["assistant-1", "assistant-2"]
    assert set(upstreams) <= set(SERVICES)
    assert SERVICES["assistant-1"]["environment"]["ACTION_HOST"] in SERVICES


@pytest.mark.parametrize("channel", ["slack", "telegram"])
def test_a_staff_channel_adds_its_secrets_to_the_assistants_alone(channel: str) -> None:
    added = yaml.safe_load((DEPLOY / f"compose.{channel}.yml").read_text())
    assert set(added["services"]) == {"assistant-1", "assistant-2"}
    for service in added["services"].values():
        assert set(service) == {"environment", "secrets"}
        assert set(service["secrets"]) == set(added["secrets"])
        files = {name: value for name, value in service["environment"].items() if "FILE" in name}
        assert set(files.values()) == {f"/run/secrets/{name}" for name in added["secrets"]}
        for name in service["environment"]:
            assert SECRET.search(name) is None or name.endswith("_FILE"), name
