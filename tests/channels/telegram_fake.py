"""A strict stand-in for Telegram: its Bot API with limits and errors, and the updates it sends."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "123456:AAbbccddeeffgghhiijjkkllmmnnoopp"
SECRET = "a-secret-of-the-webhook-0123456789"
STAFF, STRANGER = 1001, 2002
METHODS = (
    *("sendMessage", "answerCallbackQuery", "setWebhook", "deleteWebhook", "getWebhookInfo"),
    *("getMe", "setMyCommands", "getMyCommands"),
)


class FakeTelegram:
    """One bot.

    Attributes:
        sent: parameters of every accepted sendMessage.
        answered: callback queries that were answered.
        faults: what the next sendMessage meets: an error code, or "drop".
        webhook: address, secret and more of the registered webhook.
        app: address that updates go to.
    """

    def __init__(self) -> None:
        self.url = ""
        self.app = ""
        self.secret: str | None = SECRET
        self.sent: list[dict[str, Any]] = []
        self.answered: list[str] = []
        self.calls: list[str] = []
        self.faults: list[Any] = []
        self.blocked: set[int] = set()
        self.webhook: dict[str, Any] = {"url": ""}
        self.commands: list[dict[str, str]] = []
        self.retry_after = 0
        self._queries: set[str] = set()
        self._count = 0

    def routes(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._call)
        return app

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.calls.append(method)
        if request.match_info["token"] != TOKEN:
            return _refused(401, "Unauthorized")
        if method not in METHODS:
            return _refused(404, "Not Found")
        return await getattr(self, f"_{method}")(request, await request.json())

    async def _sendMessage(self, request: web.Request, given: dict[str, Any]) -> web.Response:
        fault = self.faults.pop(0) if self.faults else None
        if fault == "drop":
            assert request.transport is not None
            request.transport.close()
            return web.Response(status=500)
        if fault == 429:
            return _refused(429, "Too Many Requests", {"retry_after": self.retry_after})
        if fault == 502:
            return web.Response(status=502, text="<html>Bad Gateway</html>")
        if fault is not None:
            return _refused(fault, "planned")
        if given.get("chat_id") not in (STAFF, STRANGER):
            return _refused(400, "Bad Request: chat not found")
        if given["chat_id"] in self.blocked:
            return _refused(403, "Forbidden: bot was blocked by the user")
        length = len(given.get("text", "").encode("utf-16-le")) // 2
        if not given.get("text", "").strip():
            return _refused(400, "Bad Request: message text is empty")
        if length > 4096:
            return _refused(400, "Bad Request: message is too long")
        for row in (given.get("reply_markup") or {}).get("inline_keyboard", []):
            for button in row:
                if not 1 <= len(button["callback_data"].encode()) <= 64 or not button["text"]:
                    return _refused(400, "Bad Request: BUTTON_DATA_INVALID")
        self.sent.append(given)
        return _granted({"message_id": len(self.sent), "chat": {"id": given["chat_id"]}})

    async def _answerCallbackQuery(self, request: Any, given: dict[str, Any]) -> web.Response:
        if given.get("callback_query_id") not in self._queries:
            return _refused(400, "Bad Request: query is too old and response timeout expired")
        self._queries.discard(given["callback_query_id"])
        self.answered.append(given["callback_query_id"])
        return _granted(True)

    async def _setWebhook(self, request: Any, given: dict[str, Any]) -> web.Response:
        if not given["url"].startswith("https://"):
            return _refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", given.get("secret_token", "")):
            return _refused(400, "Bad Request: secret token contains unallowed characters")
        self.webhook = dict(given)
        return _granted(True)

    async def _deleteWebhook(self, request: Any, given: dict[str, Any]) -> web.Response:
        self.webhook = {"url": ""}
        return _granted(True)

    async def _getWebhookInfo(self, request: Any, given: dict[str, Any]) -> web.Response:
        info = {"pending_update_count": 0, **self.webhook}
        info.pop("secret_token", None)
        return _granted(info)

    async def _getMe(self, request: Any, given: dict[str, Any]) -> web.Response:
        return _granted({"id": 123456, "is_bot": True, "username": "kap_test_bot"})

    async def _setMyCommands(self, request: Any, given: dict[str, Any]) -> web.Response:
        for command in given["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                return _refused(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                return _refused(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands = given["commands"]
        return _granted(True)

    async def _getMyCommands(self, request: Any, given: dict[str, Any]) -> web.Response:
        return _granted(self.commands)

    # What it sends

    def update(self, **fields: Any) -> dict[str, Any]:
        """Return an update with a number of its own."""
        self._count += 1
        return {"update_id": 500 + self._count, **fields}

    def message(self, text: "str | None", user: int = STAFF, **fields: Any) -> dict[str, Any]:
        """Return the update of a message in a private chat; a command is marked as one."""
        message: dict[str, Any] = {
            "message_id": self._count + 1,
            "date": 1_700_000_000,
            "chat": {"id": user, "type": "private"},
            "from": {"id": user, "is_bot": False, "first_name": "S"},
        }
        if text is not None:
            message["text"] = text
            command = re.match(r"/[a-z0-9_]+(@\w+)?(?=\s|$)", text)
            if command:
                entity = {"type": "bot_command", "offset": 0, "length": command.end()}
                message["entities"] = [entity]
        return self.update(message={**message, **fields})

    def press(self, data: str, user: int = STAFF, **fields: Any) -> dict[str, Any]:
        """Return the update of a pressed button."""
        id = f"query-{self._count}"
        self._queries.add(id)
        message = {"message_id": 1, "chat": {"id": user, "type": "private"}}
        sender = {"id": user, "is_bot": False}
        return self.update(
            callback_query={"id": id, "from": sender, "message": message, "data": data, **fields}
        )

    async def post(self, body: Any, headers: "dict[str, str] | None" = None) -> int:
        """Send one request; return the status."""
        secret = {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.app, json=body, headers={**secret, **(headers or {})}) as answer,
        ):
            return answer.status

    async def deliver(self, update: dict[str, Any], attempts: int = 4) -> list[int]:
        """Send an update until it is answered with 2xx, as Telegram does; return the statuses."""
        statuses: list[int] = []
        for _ in range(attempts):
            try:
                statuses.append(await self.post(update))
            except aiohttp.ClientError:
                statuses.append(0)
            if 200 <= statuses[-1] < 300:
                break
            await asyncio.sleep(0.3)
        return statuses

    def buttons(self) -> dict[str, str]:
        """Return the data of all buttons that were sent, by their texts."""
        return {
            button["text"]: button["callback_data"]
            for message in self.sent
            for row in (message.get("reply_markup") or {}).get("inline_keyboard", [])
            for button in row
        }


def _granted(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _refused(
    code: int, description: str, parameters: "dict[str, Any] | None" = None
) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description}
    return web.json_response(
        {**body, **({"parameters": parameters} if parameters else {})}, status=code
    )


@asynccontextmanager
async def fake_telegram() -> AsyncIterator[FakeTelegram]:
    """Run the stand-in on a free port."""
    telegram = FakeTelegram()
    async with TestServer(telegram.routes()) as server:
        telegram.url = str(server.make_url("")).rstrip("/")
        yield telegram
