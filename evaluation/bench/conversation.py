"""What a turn costs as a conversation grows."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from evaluation.bench.assistants import ANSWER, Ready
from evaluation.bench.timing import latency, ratio_of_medians
from evaluation.visitors import RestVisitor
from guide.servers import ServerError

TURNS = (1, 50, 200)
WINDOW = 5
"""A turn is told by the median of so many: the first five, and five up to the turn."""


async def measure(
    assistants: Sequence[Ready], conversations: int, step: Callable[[], None]
) -> dict[str, Any]:
    """Hold so many conversations of questions with each assistant, turn by turn in alternation.

    `step` is called after each conversation. Returns `rows`, one an assistant and turn, and
    `ratios` of the last turn to the first.
    """
    run = uuid.uuid4().hex
    times: dict[str, dict[int, list[float]]] = {
        ready.up.name: {turn: [] for turn in TURNS} for ready in assistants
    }
    async with aiohttp.ClientSession() as http:
        for number in range(conversations):
            visitors = {
                r.up.name: RestVisitor(http, r.up.url, f"{run}-{number}") for r in assistants
            }
            for turn in range(1, max(TURNS) + 1):
                for ready in assistants:
                    texts = ready.texts[ANSWER]
                    said = await visitors[ready.up.name].say(texts[turn % len(texts)])
                    if not said.ok or not said.replies:
                        raise ServerError(f"{ready.up.name}: no reply at turn {turn}")
                    for named in TURNS:
                        if max(named, WINDOW) - WINDOW < turn <= max(named, WINDOW):
                            times[ready.up.name][named].append(said.milliseconds)
            step()
    rows = [
        {"assistant": name, "turn": turn, **latency(found)._asdict()}
        for name, turns in times.items()
        for turn, found in turns.items()
    ]
    ratios = {
        f"{name}: turn {TURNS[-1]} / turn {TURNS[0]}": ratio_of_medians(
            turns[TURNS[-1]], turns[TURNS[0]]
        )._asdict()
        for name, turns in times.items()
    }
    return {"rows": rows, "ratios": ratios}
