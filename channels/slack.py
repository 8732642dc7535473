"""The Slack channel: direct messages, mentions, buttons and the command /kap, for staff alone."""

import json
import logging
from typing import Any, Awaitable, Callable, Dict, List, Mapping, Optional
from urllib.parse import parse_qsl, urlsplit

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from channels.delivery import TryAgainError, UndeliverableError
from channels.desk import BusyError, Desk, Task
from channels.slack_blocks import messages
from channels.slack_requests import SlackMessage, UnreadableError, of_action, of_command, of_event
from channels.staff_http import add_desk, add_health, add_post, body_of
from channels.staff_parts import desk, library, staff_channel
from guide.reply import Reply
from guide.staff_settings import SLACK_API, SlackSettings
from guide.topics import TopicLibrary

logger = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"
SECONDS = 10
# Errors of Slack's own that pass; every other error word stays true when the call is repeated.
PASSING = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "ratelimited",
        "rate_limited",
        "team_added_to_org",
    }
)
# Errors that concern the blocks alone; the plain text can still be sent.
BLOCK_ERRORS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})


class SlackCourier:
    """Shows replies as Block Kit and sends them through Slack's Web API or a response URL."""

    def __init__(self, settings: SlackSettings, library: TopicLibrary) -> None:
        self._settings = settings
        self._library = library
        # No retries of its own: the desk decides what is sent again.
        self._client = AsyncWebClient(
            settings.bot_token, base_url=settings.api, timeout=SECONDS, retry_handlers=[]
        )

    def render(self, reply: Reply, chosen: Optional[str]) -> List[Dict[str, Any]]:
        """Return the messages `{"text", "blocks"}` that show a reply."""
        return messages(reply, chosen, self._library)

    async def send(self, address: Dict[str, Any], payload: Dict[str, Any]) -> None:
        """Send a message to a channel, a thread or a response URL; raises as Courier.send."""
        try:
            if "response_url" in address:
                await self._respond(address["response_url"], payload)
            else:
                await self._client.chat_postMessage(
                    **address, **payload, unfurl_links=False, unfurl_media=False
                )
        except SlackApiError as error:
            reason = _error_of(error)
            if reason in BLOCK_ERRORS and "blocks" in payload:
                logger.error("Slack refused blocks (%s); sending the plain text", reason)
                await self.send(address, {"text": payload["text"]})
                return
            status = error.response.status_code
            after = _seconds(error.response.headers)
            _refuse(status, reason, after)

    async def _respond(self, url: str, payload: Dict[str, Any]) -> None:
        if not is_slack_address(url, self._settings.api):
            raise UndeliverableError("a response URL that is not Slack's")
        client = AsyncWebhookClient(url, timeout=SECONDS, retry_handlers=[])
        answer = await client.send_dict(
            {"response_type": "ephemeral", "replace_original": False, **payload}
        )
        if answer.status_code != 200:
            _refuse(answer.status_code, str(answer.status_code), _seconds(answer.headers))


def is_slack_address(url: str, api: str) -> bool:
    """Return whether a response URL leads to Slack, or to the stand-in that `api` names."""
    parts = urlsplit(url)
    if api != SLACK_API:
        return parts.netloc == urlsplit(api).netloc
    return parts.scheme == "https" and parts.netloc == "hooks.slack.com"


def _refuse(status: int, reason: str, after: Optional[float]) -> None:
    if status == 429 or status >= 500 or reason in PASSING:
        raise TryAgainError(reason, after)
    raise UndeliverableError(reason)


def _error_of(error: SlackApiError) -> str:
    data = getattr(error.response, "data", None)
    found = data.get("error") if isinstance(data, dict) else None
    return str(found or getattr(error.response, "status_code", "unreadable"))


def _seconds(headers: Mapping[str, Any]) -> Optional[float]:
    given = {name.lower(): value for name, value in headers.items()}.get("retry-after")
    try:
        return float(given[0] if isinstance(given, list) else given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


class SlackChannel(InputChannel):
    """Serves `/webhooks/slack/events`, `/actions` and `/commands`."""

    def __init__(self, settings: SlackSettings, desk: Desk) -> None:
        self.settings = settings
        self.desk = desk
        self._verifier = SignatureVerifier(settings.signing_secret)

    @classmethod
    def name(cls) -> str:
        """Return the name in the channel's address and in front of its conversations."""
        return "slack"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> "SlackChannel":
        """Return the channel with its settings from the environment.

        Raises:
            SettingsError: a setting is missing or wrong, in one line.
        """
        with staff_channel():
            settings = SlackSettings.load()
            courier = SlackCourier(settings, library())
            secret = settings.signing_secret.encode()
            return cls(settings, desk(cls.name(), courier, secret, "/kap "))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the routes of the channel."""
        routes = Blueprint("slack_webhook")
        add_post(routes, "/events", self._events)
        add_post(routes, "/actions", self._actions)
        add_post(routes, "/commands", self._commands)
        add_health(routes)
        add_desk(routes, self.desk)
        return routes

    async def _events(self, request: Request) -> HTTPResponse:
        try:
            body = json.loads(await self._verified(request, "application/json"))
            if not isinstance(body, dict):
                raise UnreadableError("no object")
            if body.get("type") == "url_verification":
                return response.json({"challenge": str(body.get("challenge", ""))})
            message = of_event(body) if body.get("type") == "event_callback" else None
        except PermissionError:
            return _refused(401)
        except ValueError:
            return _refused(400)
        return await self._accepted(message)

    async def _actions(self, request: Request) -> HTTPResponse:
        try:
            message = of_action(_form(await self._verified(request, FORM)))
        except PermissionError:
            return _refused(401)
        except ValueError:
            return _refused(400)
        return await self._accepted(message)

    async def _commands(self, request: Request) -> HTTPResponse:
        try:
            form = _form(await self._verified(request, FORM))
            if form.get("ssl_check"):
                return response.empty(200)
            message = of_command(form)
        except PermissionError:
            return _refused(401)
        except ValueError:
            return _refused(400)
        return await self._accepted(message)

    async def _verified(self, request: Request, media_type: str) -> bytes:
        """Return the body of a request that Slack has signed within the last five minutes.

        Raises:
            PermissionError: Slack has not.
            ValueError: the body is of another media type, too large or broken.
        """
        body = await body_of(request, media_type)
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not timestamp.isascii() or not timestamp.isdigit():
            raise PermissionError
        if not signature.isascii() or not self._verifier.is_valid(body, timestamp, signature):
            raise PermissionError
        return body

    async def _accepted(self, message: Optional[SlackMessage]) -> HTTPResponse:
        """Answer Slack at once; what is to be done is done afterwards."""
        if message is None:
            return response.empty(200)
        if not message.teams <= self.settings.teams:
            # Somebody of another workspace, in a shared channel.
            logger.warning("slack: a message from another workspace is not answered")
            return response.empty(200)
        task = Task(message.conversation, message.address, message.kind, message.value)
        try:
            if not self.settings.admits(message.user):
                await self.desk.turn_away(message.user, message.keys, task)
            elif message.kind == "dropped":
                await self.desk.notify(message.keys, task, "text_only")
            else:
                await self.desk.receive(message.user, message.keys, task)
        except BusyError:
            return response.empty(503, {"Retry-After": "5"})
        return response.empty(200)


def _form(body: bytes) -> Dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))


def _refused(status: int) -> HTTPResponse:
    return response.empty(status)
