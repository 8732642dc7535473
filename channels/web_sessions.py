"""Visitors' sessions: an unguessable id, made by the server, inside a signed token that expires."""

import secrets
import time
from dataclasses import dataclass
from typing import Any, Dict

import jwt

from channels.web_memory import Memory

ALGORITHM = "HS256"
AUDIENCE = "kap-web"


class SessionError(Exception):
    """There is no valid session. `code` says why: no_session, session_expired or session_ended."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Session:
    """A visitor's session; `born` is when it was opened (seconds since the epoch)."""

    id: str
    born: float

    @property
    def conversation(self) -> str:
        """The conversation that belongs to this session, and to nobody else."""
        return f"web:{self.id}"


class Sessions:
    """Opens, checks, prolongs and ends sessions."""

    def __init__(
        self, secret: bytes, token_minutes: float, session_hours: float, memory: Memory
    ) -> None:
        self._secret = secret
        self._token_seconds = token_minutes * 60
        self._session_seconds = session_hours * 3600
        self._memory = memory

    def open(self) -> Session:
        """Return a new session."""
        return Session(secrets.token_urlsafe(24), time.time())

    def token(self, session: Session) -> Dict[str, Any]:
        """Return `{"token", "expires_in"}` for a session; `expires_in` is in seconds.

        Raises:
            SessionError: the session is too old to go on.
        """
        now = time.time()
        expires = min(now + self._token_seconds, session.born + self._session_seconds)
        if expires <= now:
            raise SessionError("session_expired")
        claims = {"sid": session.id, "born": session.born, "exp": expires, "aud": AUDIENCE}
        token = jwt.encode(claims, self._secret, ALGORITHM)
        return {"token": token, "expires_in": int(expires - now)}

    async def check(self, authorization: str, ended_too: bool = False) -> Session:
        """Return the session whose token an Authorization header carries.

        Raises:
            SessionError: the token is missing, forged, expired or, unless `ended_too`, ended.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise SessionError("no_session")
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["sid", "born", "exp", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise SessionError("session_expired") from error
        except jwt.InvalidTokenError as error:
            raise SessionError("no_session") from error
        session = Session(claims["sid"], claims["born"])
        if not ended_too and await self.ended(session):
            raise SessionError("session_ended")
        return session

    async def end(self, session: Session) -> None:
        """End the session; every token of it is refused from now on."""
        await self._memory.put(f"ended:{session.id}", "1", self._session_seconds)

    async def ended(self, session: Session) -> bool:
        """Return whether the session was ended."""
        return await self._memory.get(f"ended:{session.id}") is not None
