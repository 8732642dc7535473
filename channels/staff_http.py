"""What the routes of Slack and Telegram share: bounded bodies, health, the desk behind them."""

from typing import Any, Awaitable, Callable

from sanic import Blueprint, response
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.desk import Desk

MAX_BODY = 512 * 1024


async def body_of(request: Request, media_type: str) -> bytes:
    """Return the body, if it is declared as `media_type`; parameters such as a charset may follow.

    Raises:
        ValueError: it is of another type, too large or broken.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise ValueError("media type")
    request.stream.request_max_size = MAX_BODY
    try:
        await request.receive_body()
    except SanicException as error:
        raise ValueError("body") from error
    body: bytes = request.body
    return body


def add_post(
    routes: Blueprint, path: str, handler: Callable[[Request], Awaitable[HTTPResponse]]
) -> None:
    """Add a route whose handler reads the body itself."""
    routes.add_route(_unbound(handler), path, methods=["POST"], stream=True, name=path.strip("/"))


def add_health(routes: Blueprint) -> None:
    """Add the route that tells that the channel is there."""

    async def health(request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    routes.add_route(health, "/", methods=["GET"], name="health")


def add_desk(routes: Blueprint, desk: Desk) -> None:
    """Let the desk work while the server runs."""

    @routes.listener("after_server_start")
    async def start(app: Any, loop: Any) -> None:
        await desk.start(app.ctx.agent)

    @routes.listener("before_server_stop")
    async def stop(app: Any, loop: Any) -> None:
        await desk.stop()


def _unbound(handler: Any) -> Any:
    # Sanic marks a handler with its blueprint's name, which a bound method does not allow.
    async def handle(request: Request) -> HTTPResponse:
        answer: HTTPResponse = await handler(request)
        return answer

    return handle
