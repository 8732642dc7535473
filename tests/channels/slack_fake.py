"""A strict stand-in for Slack: its Web API with limits and errors, and what it sends to an app.

Limits and error words follow Slack's documentation; what a real workspace would refuse is refused.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.signature import SignatureVerifier

TOKEN = "xoxb-1-2-secret"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, USER, OTHER, DM, CHANNEL, BOT = "T0CLINIC", "U0STAFF", "U0OTHER", "D0STAFF", "C0TEAM", "U0BOT"
SCOPES = "app_mentions:read,chat:write,commands,im:history"
ANSWER_WITHIN = 3.0


class FakeSlack:
    """One workspace with one installed app.

    Attributes:
        messages: what was posted, each the request's parameters.
        responses: what was sent to response URLs.
        faults: what the next posts meet instead: a status, an error word, "drop" for a connection
            that breaks, or "hold" for one that is never answered.
        app: address of the app's requests, such as http://127.0.0.1:1/webhooks/slack.
    """

    def __init__(self) -> None:
        self.url = ""
        self.app = ""
        self.messages: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []
        self.faults: list[Any] = []
        self.scopes = SCOPES
        self.calls = 0
        self.retry_after = "0"
        self._uses: dict[str, int] = {}
        self._events = 0
        self._ts = 1_700_000_000

    # What the app calls

    def routes(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/chat.postMessage", self._post_message)
        app.router.add_post("/api/auth.test", self._auth_test)
        app.router.add_post("/response/{id}", self._respond)
        return app

    async def _auth_test(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        body = {"ok": True, "team_id": TEAM, "team": "Clinic", "user": "kap", "user_id": BOT}
        return web.json_response(body, headers={"x-oauth-scopes": self.scopes})

    async def _post_message(self, request: web.Request) -> web.Response:
        self.calls += 1
        fault = await self._fault(request)
        if fault is not None:
            return fault
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if request.content_type == "application/json":
            message = await request.json()
        else:
            message = dict(await request.post())
            if "blocks" in message:
                message["blocks"] = json.loads(message["blocks"])
        error = self._wrong(message)
        if error is None and message.get("channel") not in (DM, CHANNEL):
            error = "channel_not_found"
        if error is not None:
            return web.json_response({"ok": False, "error": error})
        self.messages.append(message)
        self._ts += 1
        return web.json_response({"ok": True, "channel": message["channel"], "ts": f"{self._ts}.0"})

    async def _respond(self, request: web.Request) -> web.Response:
        fault = await self._fault(request)
        if fault is not None:
            return fault
        id = request.match_info["id"]
        self._uses[id] = self._uses.get(id, 0) + 1
        if self._uses[id] > 5:
            return web.Response(status=404, text="used_url")
        message = await request.json()
        error = self._wrong(message)
        if error is not None:
            return web.Response(status=400, text=error)
        self.responses.append(message)
        return web.Response(text="ok")

    async def _fault(self, request: web.Request) -> "web.Response | None":
        fault = self.faults.pop(0) if self.faults else None
        if fault is None:
            return None
        if fault == "hold":
            await asyncio.sleep(60)
        if fault == "drop":
            assert request.transport is not None
            request.transport.close()
            return web.Response(status=500)
        if fault == 429:
            body = {"ok": False, "error": "ratelimited"}
            return web.json_response(body, status=429, headers={"Retry-After": self.retry_after})
        if isinstance(fault, int):
            return web.Response(status=fault, text="<html>busy</html>", content_type="text/html")
        return web.json_response({"ok": False, "error": fault})

    def _wrong(self, message: dict[str, Any]) -> "str | None":
        """Return the error word for a message that Slack would refuse."""
        if not message.get("text") and not message.get("blocks"):
            return "no_text"
        if len(message.get("text") or "") > 40_000:
            return "msg_too_long"
        blocks = message.get("blocks") or []
        actions = [e["action_id"] for b in blocks if b["type"] == "actions" for e in b["elements"]]
        if len(blocks) > 50 or len(set(actions)) < len(actions):
            return "invalid_blocks"
        return None if all(_is_block(block) for block in blocks) else "invalid_blocks"

    # What it sends

    async def post(
        self,
        path: str,
        body: str,
        content_type: str,
        headers: "dict[str, str] | None" = None,
        age: float = 0,
        secret: str = SIGNING_SECRET,
    ) -> int:
        """Send a signed request once; return the status. It must be answered in three seconds."""
        timestamp = str(int(time.time() - age))
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
        sent = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(signature),
            **(headers or {}),
        }
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(self.app + path, data=body.encode(), headers=sent) as answer,
        ):
            self.latest = await answer.text()
            return answer.status

    def envelope(self, event: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Return an event as Slack wraps it, with an id of its own."""
        self._events += 1
        return {
            "token": "x",
            "type": "event_callback",
            "team_id": TEAM,
            "event_id": f"Ev{self._events:08}",
            "event": event,
            **fields,
        }

    def direct(self, text: str, **fields: Any) -> dict[str, Any]:
        """Return the event of a direct message to the app."""
        self._ts += 1
        return self.envelope(
            {
                "type": "message",
                "channel_type": "im",
                "channel": DM,
                "user": USER,
                "team": TEAM,
                "text": text,
                "ts": f"{self._ts}.000100",
                **fields,
            }
        )

    def mention(self, text: str, **fields: Any) -> dict[str, Any]:
        """Return the event of a mention in a channel."""
        event = {"type": "app_mention", "channel": CHANNEL, "channel_type": None}
        return self.direct(f"<@{BOT}> {text}", **{**event, **fields})

    async def deliver(self, envelope: dict[str, Any], attempts: int = 4) -> list[int]:
        """Send an event until it is answered with 2xx, as Slack does; return the statuses."""
        statuses: list[int] = []
        for attempt in range(attempts):
            headers = {}
            if attempt:
                headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_error"}
            try:
                status = await self.post(
                    "/events", json.dumps(envelope), "application/json; charset=utf-8", headers
                )
            except (aiohttp.ClientError, asyncio.TimeoutError):
                status = 0
            statuses.append(status)
            if 200 <= status < 300:
                break
            await asyncio.sleep(0.3)
        return statuses

    def command_form(self, text: str, **fields: str) -> str:
        """Return the form of the command `/kap`."""
        self._events += 1
        return urlencode(
            {
                "command": "/kap",
                "text": text,
                "team_id": TEAM,
                "user_id": USER,
                "channel_id": CHANNEL,
                "response_url": f"{self.url}/response/{self._events}",
                "trigger_id": f"trigger.{self._events}",
                **fields,
            }
        )

    async def command(self, text: str, **fields: str) -> int:
        """Send the command `/kap`; return the status."""
        return await self.post("/commands", self.command_form(text, **fields), FORM)

    def action_form(self, value: str, channel: str = DM, user: str = USER, **container: Any) -> str:
        """Return the form of a pressed button."""
        self._events += 1
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "container": {"type": "message", "channel_id": channel, **container},
            "channel": {"id": channel},
            "response_url": f"{self.url}/response/{self._events}",
            "trigger_id": f"trigger.{self._events}",
            "actions": [{"type": "button", "action_id": "choose_0", "value": value}],
        }
        return urlencode({"payload": json.dumps(payload)})

    async def press(self, value: str, **fields: Any) -> int:
        """Press a button; return the status."""
        return await self.post("/actions", self.action_form(value, **fields), FORM)

    # What a test looks at

    def buttons(self, title: str) -> list[str]:
        """Return the values of all posted buttons with this title."""
        return [
            element["value"]
            for message in [*self.messages, *self.responses]
            for block in message.get("blocks") or []
            if block["type"] == "actions"
            for element in block["elements"]
            if element["text"]["text"] == title
        ]


FORM = "application/x-www-form-urlencoded"


def _is_block(block: dict[str, Any]) -> bool:
    """Return whether Slack would take the block."""
    kind = block.get("type")
    if kind == "divider":
        return True
    if kind == "header":
        return block["text"]["type"] == "plain_text" and 0 < len(block["text"]["text"]) <= 150
    if kind == "section":
        return 0 < len(block["text"]["text"]) <= 3000
    if kind == "context":
        elements = block["elements"]
        return 0 < len(elements) <= 10 and all(0 < len(e["text"]) <= 3000 for e in elements)
    if kind == "actions":
        return 0 < len(block["elements"]) <= 25 and all(
            element["type"] == "button"
            and 0 < len(element["text"]["text"]) <= 75
            and len(element["value"]) <= 2000
            and len(element["action_id"]) <= 255
            for element in block["elements"]
        )
    return False


@asynccontextmanager
async def fake_slack() -> AsyncIterator[FakeSlack]:
    """Run the stand-in on a free port."""
    slack = FakeSlack()
    async with TestServer(slack.routes()) as server:
        slack.url = str(server.make_url("")).rstrip("/")
        yield slack
