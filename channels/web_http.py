"""The web side of the website channel: what a request must be, and what every response carries."""

import ipaddress
import json
from collections.abc import Mapping
from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from sanic.exceptions import PayloadTooLarge, SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.web_settings import WebSettings

MAX_BODY = 64 * 1024

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Refusal(Exception):
    """A request that is not served.

    Attributes:
        status: the HTTP status.
        code: the reason as one word of the API description.
        headers: further response headers.
    """

    def __init__(self, status: int, code: str, headers: Optional[Mapping[str, str]] = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def check_origin(request: Request, settings: WebSettings) -> None:
    """Refuse a request from a page that is neither ours nor on the clinic's list.

    A browser names the page's origin in every request that changes something, and in every one to
    another website. Without an origin only reading is possible.

    Raises:
        Refusal: the page may not talk to this server.
    """
    origin = request.headers.get("origin")
    if origin is None:
        if request.method != "GET":
            raise Refusal(403, "origin_missing")
    elif not allowed(request, settings):
        raise Refusal(403, "origin_not_allowed")


def allowed(request: Request, settings: WebSettings) -> bool:
    """Return whether the request's origin is on the list, or is this server itself."""
    origin = request.headers.get("origin", "")
    if origin in settings.origins:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc == request.headers.get("host")


def add_headers(request: Request, response: HTTPResponse, settings: WebSettings) -> None:
    """Add the security headers, and for a listed page those that let it read the response."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Vary"] = "Origin"
    if request.headers.get("origin") in settings.origins:
        response.headers["Access-Control-Allow-Origin"] = request.headers["origin"]
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Access-Control-Max-Age"] = "600"


def limit_body(request: Request) -> None:
    """Let Sanic read no more than `MAX_BODY` bytes of this request; its own limit is 100 MB."""
    request.stream.request_max_size = MAX_BODY


async def json_body(request: Request) -> Dict[str, Any]:
    """Return the request's body, which must be a JSON object in UTF-8.

    Raises:
        Refusal: it is not, or it is too large, or it is not declared as JSON. (Forms and plain text
            can be sent by any page without asking first.)
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "not_json")
    try:
        await request.receive_body()
    except PayloadTooLarge as error:
        raise Refusal(413, "body_too_large") from error
    except SanicException as error:
        raise Refusal(400, "bad_body") from error
    try:
        body = json.loads(request.body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad_json") from error
    if not isinstance(body, dict):
        raise Refusal(400, "bad_json")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def address_of(request: Request, proxies: int) -> str:
    """Return the address to count by; for IPv6 its network of 64 bits, which is one household.

    Only what trusted proxies added to X-Forwarded-For is believed: the last `proxies` entries.
    """
    address = request.ip
    if proxies:
        forwarded = ",".join(request.headers.getall("x-forwarded-for", [])).split(",")
        if len(forwarded) >= proxies:
            address = forwarded[-proxies].strip()
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and not parsed.ipv4_mapped:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_direct_and_near(request: Request) -> bool:
    """Return whether the request comes straight from this machine or its private network."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    address = ipaddress.ip_address(request.ip)
    return address.is_loopback or address.is_private
