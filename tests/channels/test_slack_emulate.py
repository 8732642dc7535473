"""The Slack channel against `emulate`, a Slack counterpart that was not written here.

It keeps workspaces, channels, threads and blocks, and checks scopes. Its own events are not signed
as Slack signs them, so the test signs and sends them.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from guide.servers import free_port
from guide.slack_doctor import needed_scopes, slack_findings
from guide.staff_settings import SlackSettings
from tests.channels.slack_fake import TEAM, TOKEN, USER, FakeSlack
from tests.channels.staff_server import Staff, slack_channel
from tests.channels.web_server import ANSWER, FakeAgent
from tests.needs import need

PROGRAM = Path(__file__).parent / "emulate" / "node_modules" / "emulate" / "dist" / "index.js"
READER = "xoxb-reader"


class Emulated:
    """A workspace of emulate, looked at with a token of our own."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def call(self, method: str, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {READER}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{self.url}/api/{method}", json=given) as answer,
        ):
            return await answer.json()

    async def channel(self, name: str) -> str:
        listed = await self.call("conversations.list")
        return next(str(one["id"]) for one in listed["channels"] if one["name"] == name)


@pytest.fixture
async def emulated(tmp_path: Path) -> AsyncIterator[Emulated]:
    """A running workspace whose app has the scopes of our manifest and no others."""
    node = need(shutil.which("node"), "node is not installed")
    program = need(PROGRAM if PROGRAM.is_file() else None, "emulate is not installed (make test)")
    scopes = ["channels:read", "channels:history", "channels:manage", "chat:write"]
    config = {
        "slack": {
            "team": {"name": "Clinic", "domain": "clinic"},
            "users": [{"name": "kap", "real_name": "KAP Guide"}],
            "channels": [{"name": "team", "topic": "x"}, {"name": "old", "topic": "x"}],
            "tokens": [
                {"token": TOKEN, "user": "kap", "scopes": needed_scopes()},
                {"token": READER, "user": "kap", "scopes": scopes},
            ],
            "strict_scopes": True,
        }
    }
    (tmp_path / "seed.yaml").write_text(yaml.safe_dump(config))
    port = free_port()
    arguments = [node, str(program), "--service", "slack", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [*arguments, "--seed", str(tmp_path / "seed.yaml")], stdout=log, stderr=log
        )
    workspace = Emulated(f"http://127.0.0.1:{port}")
    for _ in range(200):
        try:
            assert (await workspace.call("auth.test"))["ok"]
            break
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)
    yield workspace
    server.terminate()
    server.wait()


@pytest.fixture
async def staff(
    emulated: Emulated, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Staff[FakeSlack]]:
    """The channel, posting to emulate; the stand-in only signs and sends."""
    monkeypatch.setenv("SLACK_API_URL", f"{emulated.url}/api/")
    async with slack_channel(FakeAgent(), slack) as running:
        yield running


async def test_an_answer_is_posted_in_a_thread_with_its_blocks(
    staff: Staff[FakeSlack], emulated: Emulated
) -> None:
    channel = await emulated.channel("team")
    staff.agent.messages = [{**ANSWER, "text": "<!channel> & *b*"}]
    asked = await emulated.call("chat.postMessage", channel=channel, text="@kap bladder?")
    ts = asked["ts"]
    await staff.service.deliver(staff.service.mention("bladder?", channel=channel, ts=ts))
    await staff.rest()
    assert await staff.outcomes() == {"answered": 1}
    replies = await emulated.call("conversations.replies", channel=channel, ts=ts)
    posted = replies["messages"][-1]
    assert posted["thread_ts"] == ts
    assert "&lt;!channel&gt; &amp; *b*" in posted["text"]
    assert [block["type"] for block in posted["blocks"]][-1] == "actions"
    assert "Tell me more" in json.dumps(posted["blocks"])


async def test_channels_that_refuse_leave_a_trace(
    staff: Staff[FakeSlack], emulated: Emulated, caplog: pytest.LogCaptureFixture
) -> None:
    old = await emulated.channel("old")
    assert (await emulated.call("conversations.archive", channel=old))["ok"]
    for channel in (old, "C0NOWHERE"):
        await staff.service.deliver(staff.service.mention("hello", channel=channel))
    await staff.rest()
    assert await staff.outcomes() == {"undeliverable": 2}
    assert "is_archived" in caplog.text
    assert "channel_not_found" in caplog.text


async def test_the_doctor_recognises_the_workspace(emulated: Emulated) -> None:
    settings = SlackSettings(
        TOKEN, "s", frozenset({TEAM}), frozenset({USER}), f"{emulated.url}/api/"
    )
    found = await asyncio.to_thread(lambda: list(slack_findings(settings, None)))
    assert [finding.part for finding in found][:2] == ["Slack token", "Slack workspace"]
    assert found[0].what == "the app is kap in Clinic"
    assert found[1].remedy.startswith("add T")
