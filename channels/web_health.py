"""Whether the parts that a turn needs are there."""

import asyncio
import logging
from typing import Awaitable, Callable, Dict, Optional

import aiohttp
from rasa.core.agent import Agent

logger = logging.getLogger(__name__)

PROBE = "web:readiness-probe"
SECONDS = 2.0


async def readiness(agent: Optional[Agent]) -> Dict[str, bool]:
    """Return for model, database, lock store and action server whether each can be used."""
    if agent is None or not agent.is_ready():
        return {"model": False}
    checks = {"database": _database, "lock_store": _lock_store, "action_server": _action_server}
    found = await asyncio.gather(*(_works(name, check, agent) for name, check in checks.items()))
    return {"model": True, **dict(zip(checks, found, strict=True))}


async def _works(name: str, check: Callable[[Agent], Awaitable[None]], agent: Agent) -> bool:
    try:
        await asyncio.wait_for(check(agent), SECONDS)
    except Exception as error:
        logger.warning("%s is not ready: %s", name, type(error).__name__)
        return False
    return True


async def _database(agent: Agent) -> None:
    await agent.tracker_store.retrieve(PROBE)


async def _lock_store(agent: Agent) -> None:
    async with agent.lock_store.lock(PROBE):
        pass


async def _action_server(agent: Agent) -> None:
    if agent.action_endpoint is None:
        return
    url = str(agent.action_endpoint.url).rsplit("/", 1)[0] + "/health"
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
        answer.raise_for_status()
