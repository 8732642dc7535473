"""The Telegram channel: private chats with a bot, for staff alone."""

import hmac
import json
import logging
from typing import Any, Awaitable, Callable, Dict, List, Optional

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.delivery import TryAgainError, UndeliverableError
from channels.desk import BusyError, Desk, Task
from channels.staff_http import add_desk, add_health, add_post, body_of
from channels.staff_parts import desk, library, staff_channel
from channels.telegram_requests import TelegramMessage, of_update
from channels.telegram_texts import messages
from guide.reply import Reply
from guide.staff_settings import TelegramSettings
from guide.telegram_api import TelegramApi, TelegramError
from guide.topics import TopicLibrary

logger = logging.getLogger(__name__)


class TelegramCourier:
    """Shows replies as plain texts with inline buttons, and sends them through the Bot API."""

    def __init__(self, api: TelegramApi, library: TopicLibrary) -> None:
        self._api = api
        self._library = library

    def render(self, reply: Reply, chosen: Optional[str]) -> List[Dict[str, Any]]:
        """Return the parameters of sendMessage that show a reply."""
        return messages(reply, chosen, self._library)

    async def send(self, address: Dict[str, Any], payload: Dict[str, Any]) -> None:
        """Send a message to a chat; raises as Courier.send."""
        try:
            await self._api.call("sendMessage", **address, **payload)
        except TelegramError as error:
            if error.code == 429 or error.code >= 500:
                raise TryAgainError(str(error.code), error.retry_after) from error
            if error.code == 400 and "reply_markup" in payload:
                logger.error("Telegram refused buttons; sending the text without them")
                await self.send(address, {k: v for k, v in payload.items() if k != "reply_markup"})
                return
            raise UndeliverableError(str(error.code)) from error


class TelegramChannel(InputChannel):
    """Serves `/webhooks/telegram/webhook`."""

    def __init__(self, settings: TelegramSettings, desk: Desk, api: TelegramApi) -> None:
        self.settings = settings
        self.desk = desk
        self._api = api

    @classmethod
    def name(cls) -> str:
        """Return the name in the channel's address."""
        return "telegram"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> "TelegramChannel":
        """Return the channel with its settings from the environment. Telegram is not called.

        Raises:
            SettingsError: a setting is missing or wrong, in one line.
        """
        with staff_channel():
            settings = TelegramSettings.load()
            api = TelegramApi(settings.bot_token, settings.api)
            courier = TelegramCourier(api, library())
            return cls(settings, desk(cls.name(), courier, settings.secret.encode(), "/"), api)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the routes of the channel."""
        routes = Blueprint("telegram_webhook")
        add_post(routes, "/webhook", self._update)
        add_health(routes)
        add_desk(routes, self.desk)
        return routes

    async def _update(self, request: Request) -> HTTPResponse:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), self.settings.secret.encode()):
            return response.empty(401)
        try:
            update = json.loads(await body_of(request, "application/json"))
        except ValueError:
            return response.empty(400)
        message = of_update(update, self.settings.bot) if isinstance(update, dict) else None
        if message is None:
            return response.empty(200)
        return await self._accepted(message)

    async def _accepted(self, message: TelegramMessage) -> HTTPResponse:
        """Answer Telegram at once; what is to be done is done afterwards."""
        task = Task(message.conversation, message.address, message.kind, message.value)
        try:
            if not self.settings.admits(message.user):
                await self.desk.turn_away(message.user, message.keys, task)
            elif message.kind == "dropped":
                await self.desk.notify(message.keys, task, "text_only")
            else:
                await self.desk.receive(message.user, message.keys, task)
        except BusyError:
            return response.empty(503)
        if message.callback:
            # Ends the button's waiting sign; without it the answer comes all the same.
            query = self._api.call("answerCallbackQuery", callback_query_id=message.callback)
            self.desk.aside(query)
        return response.empty(200)
