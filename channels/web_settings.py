"""What an operator can set for the website channel."""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, FrozenSet, Optional
from urllib.parse import urlsplit

from guide.clinic import Clinic
from guide.environment import setting

logger = logging.getLogger(__name__)

MIN_SECRET_BYTES = 32


class SettingsError(ValueError):
    """A setting of the channel is wrong. The message says which, and what to do."""


@dataclass(frozen=True)
class WebSettings:
    """Settings of the channel.

    Attributes:
        secret: signs tokens and makes button ids; the same in every process.
        origins: other websites that may talk to this server, such as `https://clinic.example`.
        token_minutes: how long a token is good; a refresh gives a new one.
        session_hours: how long a conversation can be refreshed, at most.
        proxies: number of trusted proxies in front; each adds one address to X-Forwarded-For.
        session_messages: messages of one visitor, as limits such as `20/minute; 300/hour`.
        address_messages: messages from one address; many people can share one.
        address_sessions: new sessions from one address.
        redis_url: where processes share limits, sessions that ended and answers; None for one
            process.
    """

    secret: bytes
    origins: FrozenSet[str] = field(default_factory=frozenset)
    token_minutes: float = 60.0
    session_hours: float = 24.0
    proxies: int = 0
    session_messages: str = "20/minute; 300/hour"
    address_messages: str = "120/minute; 3000/hour"
    address_sessions: str = "20/minute; 120/hour"
    redis_url: Optional[str] = None

    @classmethod
    def load(
        cls, credentials: Optional[Mapping[str, Any]], clinic: Clinic, env: Mapping[str, str]
    ) -> "WebSettings":
        """Return the settings from credentials.yml, clinic.yml and the environment.

        Raises:
            SettingsError: a setting is unknown or wrong.
        """
        given = dict(credentials or {})
        allowed = {"token_minutes", "session_hours", "proxies"}
        limits = {"session_messages", "address_messages", "address_sessions"}
        for name in set(given) - allowed - limits:
            raise SettingsError(f"credentials.yml: channels.web.WebChannel: unknown key {name!r}")
        for name in allowed & set(given):
            if isinstance(given[name], bool) or not isinstance(given[name], (int, float)):
                raise SettingsError(f"credentials.yml: {name} must be a number")
        for name in limits & set(given):
            if not isinstance(given[name], str):
                raise SettingsError(f"credentials.yml: {name} must be such as 20/minute")
        return cls(
            secret=_secret(env.get("WEB_SECRET")),
            origins=_origins(clinic.settings.get("web_origins")),
            redis_url=env.get("REDIS_URL") or None,
            **given,
        )


def _secret(given: Optional[str]) -> bytes:
    if not given:
        logger.warning(
            "WEB_SECRET is not set: website sessions end with this process, and a second process "
            "would not know them"
        )
        return secrets.token_bytes(MIN_SECRET_BYTES)
    if len(given.encode()) < MIN_SECRET_BYTES:
        raise SettingsError(
            f"WEB_SECRET is too short; use at least {MIN_SECRET_BYTES} random bytes, "
            "for example from `openssl rand -hex 32`"
        )
    return given.encode()


def _origins(given: Any) -> FrozenSet[str]:
    if not isinstance(given or [], list):
        raise SettingsError("content/clinic.yml: web_origins: must be a list of addresses")
    for origin in given or []:
        parts = urlsplit(origin) if isinstance(origin, str) else urlsplit("")
        if parts.scheme not in ("https", "http") or origin != f"{parts.scheme}://{parts.netloc}":
            raise SettingsError(
                f"content/clinic.yml: web_origins: {origin!r} is not of the form "
                "https://clinic.example (no path, no slash at the end)"
            )
    return frozenset(given or [])


def from_environment(credentials: Optional[Mapping[str, Any]], clinic: Clinic) -> WebSettings:
    """Return the settings of this process. Raises as `WebSettings.load`."""
    env = {name: setting(name) or "" for name in ("WEB_SECRET", "REDIS_URL")}
    return WebSettings.load(credentials, clinic, env)
