"""From starting the processes to the first answer, and what an assistant then holds."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import aiohttp

from evaluation.bench.assistants import ANSWER, Contestant, prepare
from evaluation.load import memory_mb
from evaluation.visitors import RestVisitor

ANSWERS = 20
"""Answers before memory is looked at."""


async def measure(
    contestants: Sequence[Contestant], times: int, step: Callable[[], None]
) -> dict[str, Any]:
    """Start the assistants one after another, so many times, each alone.

    `step` is called after each start. Returns `rows`: seconds to the first answer (each start, and
    the median), memory in MB of both servers after some answers (PSS: shared pages count by
    share; median), and the size of the model in MB.
    """
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    memory: dict[str, list[tuple[float, float]]] = {name: [] for name in seconds}
    for _ in range(times):
        for contestant in contestants:
            began = time.monotonic()
            with contestant.start() as up:
                seconds[contestant.name].append(round(time.monotonic() - began, 2))
                texts = (await prepare(contestant, up)).texts[ANSWER]
                async with aiohttp.ClientSession() as http:
                    visitor = RestVisitor(http, up.url, "memory")
                    for number in range(ANSWERS):
                        await visitor.say(texts[number % len(texts)])
                memory[contestant.name].append((memory_mb(up.rasa), memory_mb(up.actions)))
            step()
    rows = [
        {
            "assistant": contestant.name,
            "seconds": round(median(seconds[contestant.name]), 1),
            "starts": seconds[contestant.name],
            "assistant_mb": round(median(a for a, _ in memory[contestant.name])),
            "actions_mb": round(median(b for _, b in memory[contestant.name])),
            "model_mb": round(contestant.model.stat().st_size / 1e6, 1),
        }
        for contestant in contestants
    ]
    return {"rows": rows}
