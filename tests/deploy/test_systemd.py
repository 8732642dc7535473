"""The systemd units of the small server."""

import os
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from guide.paths import ROOT

UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))


class Unit(ConfigParser):
    """A unit file; of a name that stands several times the last value is kept."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read_string((UNITS / name).read_text())


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_power_that_it_does_not_need(name: str) -> None:
    service = Unit(name)["Service"]
    assert service["User"].startswith("kap-guide")
    assert service["UMask"] == "0077"
    assert service["ProtectSystem"] == "strict"
    for switch in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices"):
        assert service[switch] == "yes"
    wanted = "CAP_NET_BIND_SERVICE" if name == "kap-guide-proxy.service" else ""
    assert service["CapabilityBoundingSet"] == wanted


@pytest.mark.parametrize("path", sorted(UNITS.rglob("*.*")), ids=lambda path: path.name)
def test_secrets_come_as_credentials(path: Path) -> None:
    for line in path.read_text().splitlines():
        if line.startswith("Environment="):
            for pair in line.removeprefix("Environment=").split():
                name, value = pair.split("=", 1)
                if any(word in name for word in ("SECRET", "KEY", "TOKEN", "PASSWORD")):
                    assert name.endswith("_FILE")
                    assert value.startswith("%d/")
                    assert f"LoadCredential={value.removeprefix('%d/')}:" in path.read_text()


def test_every_timer_has_its_service_and_makes_up_for_a_missed_night() -> None:
    for path in UNITS.glob("*.timer"):
        assert path.with_suffix(".service").is_file()
        assert Unit(path.name)["Timer"]["Persistent"] == "yes"


@pytest.fixture
def units(tmp_path: Path) -> list[str]:
    """The units with programs that are there."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed; the units were checked by reading them")
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = []
    for path in [*UNITS.glob("*.service"), *UNITS.glob("*.timer")]:
        text = path.read_text()
        for name in ("/opt/kap-guide/.venv/bin/kap-guide", "/opt/kap-guide/deploy/backup"):
            text = text.replace(name, str(program))
        text = text.replace("/usr/sbin/nginx", str(program)).replace("/usr/bin/curl", str(program))
        (tmp_path / path.name).write_text(text)
        found.append(str(tmp_path / path.name))
    return found


def test_systemd_takes_them(units: list[str]) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *units],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_PAGER": ""},
    )
    assert not done.stderr.strip(), done.stderr
    assert done.returncode == 0


def test_systemd_finds_little_that_is_open(units: list[str]) -> None:
    for unit in units:
        if unit.endswith(".service"):
            done = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
                capture_output=True,
                text=True,
                env={**os.environ, "SYSTEMD_PAGER": ""},
            )
            assert done.returncode == 0, done.stdout[-300:] + done.stderr
