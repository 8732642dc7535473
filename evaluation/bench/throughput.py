"""How many messages a second an assistant answers when several visitors talk without pause."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from evaluation.bench.assistants import ANSWER, CRISIS, FALLBACK, Ready
from evaluation.bench.timing import latency
from evaluation.visitors import RestVisitor, Said, talk

VISITORS = (1, 8, 32)
BLOCKS = 2
"""Each assistant has its turn so many times for each number of visitors."""
KINDS = (ANSWER, FALLBACK, CRISIS)
WEIGHTS = (80, 15, 5)
"""Of a hundred messages."""


async def measure(
    assistants: Sequence[Ready], seconds: float, step: Callable[[], None]
) -> dict[str, Any]:
    """Let visitors talk to one assistant after another over rest, in blocks of so many seconds.

    `step` is called after each block. Returns `rows`, one an assistant and number of visitors.
    """
    rows = []
    for visitors in VISITORS:
        said: dict[str, list[Said]] = {ready.up.name: [] for ready in assistants}
        for _ in range(BLOCKS):
            for ready in assistants:
                said[ready.up.name] += await _block(ready, visitors, seconds)
                step()
        rows += [
            {
                "assistant": name,
                "visitors": visitors,
                "failed": sum(not each.ok or not each.replies for each in found),
                "per_second": round(len(found) / (BLOCKS * seconds), 1),
                **latency([each.milliseconds for each in found])._asdict(),
            }
            for name, found in said.items()
        ]
    return {"rows": rows}


async def _block(ready: Ready, visitors: int, seconds: float) -> list[Said]:
    run = uuid.uuid4().hex
    heard: list[Said] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        until = time.monotonic() + seconds

        async def visit(number: int) -> None:
            chance = random.Random(number)  # noqa: S311 (a choice of texts)
            await talk(
                RestVisitor(http, ready.up.url, f"{run}-{number}"),
                lambda: chance.choice(ready.texts[chance.choices(KINDS, WEIGHTS)[0]]),
                until,
                heard.append,
            )

        await asyncio.gather(*map(visit, range(visitors)))
    return heard
