"""Setting the staff channels up: commands, doctor, manifest, credentials."""

import asyncio
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from guide.credentials import STAFF_CHANNELS, merged, wanted
from guide.environment import SettingError
from guide.findings import LOOK, WRONG, Finding
from guide.paths import ROOT
from guide.slack_doctor import MANIFEST, needed_scopes, slack_findings
from guide.staff_commands import COMMANDS
from guide.staff_settings import SlackSettings, TelegramSettings
from guide.telegram_setup import telegram_findings
from tests.channels.slack_fake import FakeSlack
from tests.channels.staff_server import Staff, environment
from tests.channels.telegram_fake import SECRET, FakeTelegram


@dataclass
class Ended:
    """How a command ended, and all that it wrote."""

    exit_code: int
    output: str


async def kap_guide(*arguments: str) -> Ended:
    """Run the command as a person would."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "guide.command", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return Ended(process.returncode or 0, output.decode())


def states(found: "list[Finding]") -> dict[str, str]:
    return {finding.part: finding.state for finding in found}


async def slack_found(settings: SlackSettings, address: "str | None") -> dict[str, str]:
    return states(await asyncio.to_thread(lambda: list(slack_findings(settings, address))))


async def test_slack_that_is_set_up_is_found_right(on_slack: Staff[FakeSlack]) -> None:
    address = on_slack.service.app.removesuffix("/webhooks/slack")
    result = await kap_guide("slack", "doctor", "--address", address)
    assert result.exit_code == 0, result.output
    assert result.output.count("ok    Slack") == 4


async def test_what_is_wrong_in_slack_is_named(on_slack: Staff[FakeSlack]) -> None:
    service, settings = on_slack.service, SlackSettings.load()
    address = service.app.removesuffix("/webhooks/slack")
    assert (await slack_found(settings, None))["Slack address"] == LOOK
    wrong: list[tuple[SlackSettings, str, str]] = [
        (replace(settings, bot_token="xoxb-other"), address, "Slack token"),
        (replace(settings, api="http://127.0.0.1:9/api/"), address, "Slack token"),
        (replace(settings, teams=frozenset({"T9"})), address, "Slack workspace"),
        (replace(settings, signing_secret="other"), address, "Slack address"),
        (settings, "http://127.0.0.1:9", "Slack address"),
        (settings, service.url, "Slack address"),
    ]
    for changed, place, part in wrong:
        found = await slack_found(changed, place)
        assert [name for name, state in found.items() if state == WRONG] == [part]
    service.scopes = "chat:write"
    assert (await slack_found(settings, address))["Slack scopes"] == WRONG


async def test_telegram_is_registered_looked_at_and_removed(
    on_telegram: Staff[FakeTelegram], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = on_telegram.service
    assert (await kap_guide("telegram", "status")).exit_code == 1
    result = await kap_guide("telegram", "register")
    assert result.exit_code == 0, result.output
    assert service.webhook == {
        "url": "https://kap.example/webhooks/telegram/webhook",
        "secret_token": SECRET,
        "allowed_updates": ["message", "callback_query"],
    }
    assert [command["command"] for command in service.commands] == list(COMMANDS)
    # The address of this test's server is not https, so it is put in by hand.
    service.webhook["url"] = service.app
    monkeypatch.setenv("TELEGRAM_WEBHOOK_URL", service.app)
    result = await kap_guide("telegram", "status")
    assert result.exit_code == 0, result.output
    assert "@kap_test_bot" in result.output
    assert (await kap_guide("telegram", "remove")).exit_code == 0
    assert service.webhook["url"] == ""


async def test_what_is_wrong_in_telegram_is_named(on_telegram: Staff[FakeTelegram]) -> None:
    service = on_telegram.service
    assert (await kap_guide("telegram", "register")).exit_code == 0
    service.webhook["url"] = service.app
    settings = replace(TelegramSettings.load(), webhook_url=service.app)
    assert WRONG not in states(await telegram_findings(settings)).values()
    for changed, part in (
        (replace(settings, bot_token="1:AAAAAAAAAAAAAAAAAAAAAAAA"), "Telegram token"),
        (replace(settings, api="http://127.0.0.1:9"), "Telegram token"),
        (replace(settings, secret="another-secret-0123"), "Telegram address"),
        (replace(settings, webhook_url="https://other.example"), "Telegram webhook"),
    ):
        found = await telegram_findings(changed)
        assert [one.part for one in found if one.state == WRONG] == [part]
    service.commands = []
    assert "the command menu is old" in [one.what for one in await telegram_findings(settings)]


@pytest.mark.parametrize("url", ["", "http://kap.example/webhooks/telegram/webhook", "https://x"])
async def test_an_address_that_telegram_would_refuse_is_told_in_one_line(
    telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TELEGRAM_WEBHOOK_URL", url)
    result = await kap_guide("telegram", "register")
    assert result.exit_code == 2
    assert result.output.startswith("kap-guide: TELEGRAM_WEBHOOK_URL")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("slack", "doctor"),
        ("run", "--with", "slack"),
        ("telegram", "register"),
        ("telegram", "status"),
        ("run", "--with", "telegram"),
        ("run", "--with", "matrix"),
    ],
)
async def test_an_unset_variable_is_one_clear_line(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in environment(tmp_path, "x"):
        monkeypatch.delenv(name, raising=False)
    result = await kap_guide(*arguments)
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "is not set" in result.output or "no staff channel" in result.output


async def test_an_error_of_the_network_does_not_show_the_token(
    telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:9")
    for command in ("register", "remove", "status"):
        result = await kap_guide("telegram", command)
        assert "cannot be reached" in result.output
        assert "AAbb" not in result.output


def test_either_both_or_neither_channel_is_put_into_the_credentials(
    slack_environment: None,
) -> None:
    base = ROOT / "credentials.yml"
    own = list(yaml.safe_load(merged(base, [])))
    assert own == list(yaml.safe_load(base.read_text()))
    slack, telegram = "channels.slack.SlackChannel", "channels.telegram.TelegramChannel"
    for names, added in (
        ("", []),
        ("slack", [slack]),
        (" Telegram ", [telegram]),
        ("slack, telegram,slack", [slack, telegram]),
    ):
        assert list(yaml.safe_load(merged(base, wanted(names)))) == [*own, *added]


@pytest.fixture
def slack_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in environment(tmp_path, "http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)


def test_an_unknown_channel_is_told() -> None:
    with pytest.raises(SettingError, match="no staff channel 'irc'; there are slack, telegram"):
        wanted("irc")


def test_the_manifest_names_the_routes_that_are_served(on_routes: set[str]) -> None:
    manifest: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    urls = re.findall(r"https://kap\.example(\S+)", yaml.safe_dump(manifest))
    assert {url.rsplit("/", 1)[1] for url in urls} == on_routes
    assert all(url.startswith("/webhooks/slack/") for url in urls)
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == [
        "app_mention",
        "message.im",
    ]
    assert set(needed_scopes()) == {"app_mentions:read", "chat:write", "commands", "im:history"}
    hint = manifest["features"]["slash_commands"][0]["usage_hint"]
    assert all(name in hint for name in COMMANDS)


@pytest.fixture
def on_routes() -> set[str]:
    source = (ROOT / "channels" / "slack.py").read_text()
    return set(re.findall(r'add_post\(routes, "/(\w+)"', source))


def test_the_example_names_every_variable() -> None:
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE))
    needed = set()
    for module in ("staff_settings", "environment", "encryption"):
        source = (ROOT / "guide" / f"{module}.py").read_text()
        needed |= set(re.findall(r'"((?:SLACK|TELEGRAM|STORE|DATABASE|REDIS)_[A-Z_]+)"', source))
    assert needed - {"SLACK_API_URL", "TELEGRAM_API_URL"} <= named
    assert set(STAFF_CHANNELS) == {path.stem for path in (ROOT / "credentials").glob("*.yml")}
