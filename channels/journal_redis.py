"""The journal of a staff channel in Redis, for processes on several machines."""

import os
import uuid
from collections.abc import Sequence
from typing import Any, Dict, List

import redis.asyncio  # type: ignore[import-untyped]

from channels.journal import KEPT_SECONDS, LEASE_SECONDS, Entry

SECONDS = 2.0

# Redis runs a script as one step. KEYS[1] is the set of open messages, scored by the time until
# which they are held; the clock is that of Redis, the same for every process.
_NOW = "local t = redis.call('TIME'); local now = t[1] + t[2] / 1000000\n"

_ACCEPT = (
    _NOW
    + """
for i = 3, #KEYS do if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end end
for i = 3, #KEYS do redis.call('SET', KEYS[i], '1', 'EX', ARGV[5]) end
redis.call('HSET', KEYS[2], 'state', 'open', 'owner', ARGV[1], 'body', ARGV[3], 'received', ARGV[4])
redis.call('ZADD', KEYS[1], now + ARGV[6], ARGV[2])
return 1
"""
)
_KEEP = (
    _NOW
    + """
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'body', ARGV[3])
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[4], ARGV[2])
return 1
"""
)
_HOLD = (
    _NOW
    + """
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then return 0 end
redis.call('ZADD', KEYS[1], 'XX', ARGV[3] == '0' and 0 or now + ARGV[3], ARGV[2])
return 1
"""
)
_FINISH = """
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], 'body')
redis.call('HSET', KEYS[2], 'state', ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1
"""
_ADOPT = (
    _NOW
    + """
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  local name = ARGV[1] .. id
  redis.call('HSET', name, 'owner', ARGV[2])
  redis.call('ZADD', KEYS[1], now + ARGV[3], id)
  found[#found + 1] = {id, redis.call('HGET', name, 'body'), redis.call('HGET', name, 'received')}
end
return found
"""
)


class RedisJournal:
    """A journal that processes on several machines share. See `channels.journal.Journal`."""

    def __init__(self, url: str, channel: str) -> None:
        self._redis: Any = redis.asyncio.from_url(
            url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        )
        self._instance = uuid.uuid4().hex
        self._prefix = f"kap-staff:{channel}:"
        self._messages = f"{self._prefix}message:"
        self._open = f"{self._prefix}open"

    @property
    def _owner(self) -> str:
        # Workers that the server forks share the instance, but nothing that is held.
        return f"{self._instance}:{os.getpid()}"

    async def accept(self, keys: Sequence[str], entry: Entry) -> bool:
        named = [f"{self._prefix}key:{key}" for key in keys]
        values = (entry.body, entry.received, int(KEPT_SECONDS), LEASE_SECONDS)
        return await self._run(_ACCEPT, entry.id, *values, keys=named)

    async def keep(self, id: str, body: bytes, seconds: float) -> bool:
        return await self._run(_KEEP, id, body, seconds)

    async def renew(self, ids: Sequence[str]) -> None:
        for id in ids:
            await self._run(_HOLD, id, LEASE_SECONDS)

    async def release(self, ids: Sequence[str]) -> None:
        for id in ids:
            await self._run(_HOLD, id, 0)

    async def finish(self, id: str, outcome: str) -> None:
        await self._run(_FINISH, id, outcome, int(KEPT_SECONDS))

    async def adopt(self) -> List[Entry]:
        found = await self._redis.eval(
            _ADOPT, 1, self._open, self._messages, self._owner, LEASE_SECONDS
        )
        entries = [Entry(id.decode(), body, float(received)) for id, body, received in found]
        return sorted(entries, key=lambda entry: entry.received)

    async def outcomes(self) -> Dict[str, int]:
        counted: Dict[str, int] = {}
        async for name in self._redis.scan_iter(f"{self._messages}*"):
            state = await self._redis.hget(name, "state")
            if state is not None:
                counted[state.decode()] = counted.get(state.decode(), 0) + 1
        return counted

    async def _run(self, script: str, id: str, *values: Any, keys: Sequence[str] = ()) -> bool:
        names = [self._open, self._messages + id, *keys]
        return bool(await self._redis.eval(script, len(names), *names, self._owner, id, *values))
