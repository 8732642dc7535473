"""How long a turn takes, for each kind of turn, all assistants interleaved turn by turn."""

import random
import uuid
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import aiohttp

from evaluation.bench.assistants import ANSWER, CRISIS, FALLBACK, KINDS, Ready
from evaluation.bench.timing import latency, ratio_of_medians
from evaluation.visitors import MESSAGES, RestVisitor, Visitor, WebVisitor
from guide.servers import ServerError

WITH_WEB = "ours"
"""The assistant that is also asked over the website's channel."""

COMPARED = {
    f"{kind}: {above} / {below}": (kind, above, below)
    for kind in (ANSWER, CRISIS, FALLBACK)
    for above, below in (("ours", "floor"), ("default", "ours"))
}
"""The ratios that bars speak of: name, kind of turn, and which median is divided by which."""

Lane = tuple[str, str, str]
"""Assistant, channel and kind of turn; each has a conversation of its own."""


async def measure(
    assistants: Sequence[Ready], rounds: int, step: Callable[[], None]
) -> dict[str, Any]:
    """Let every lane take one turn a round, in an order drawn anew each round.

    A conversation has ten messages, then a new one begins. `step` is called after each round.
    Returns `rows` (a latency a lane) and `ratios` of medians over rest.
    """
    order = random.Random(0)  # noqa: S311 (an order of turns)
    run = uuid.uuid4().hex
    async with aiohttp.ClientSession() as http:
        lanes: dict[Lane, tuple[Visitor, cycle[str]]] = {}
        for ready in assistants:
            for kind in KINDS:
                name, url = ready.up.name, ready.up.url
                rest = RestVisitor(http, url, f"{run}-{kind}")
                lanes[name, "rest", kind] = rest, cycle(ready.texts[kind])
                if name == WITH_WEB:
                    lanes[name, "web", kind] = WebVisitor(http, url), cycle(ready.texts[kind])
        times: dict[Lane, list[float]] = {lane: [] for lane in lanes}
        for number in range(rounds):
            for lane in order.sample(list(lanes), len(lanes)):
                visitor, texts = lanes[lane]
                if number % MESSAGES == 0:
                    await visitor.begin()
                said = await visitor.say(next(texts))
                if not said.ok or not said.replies:
                    raise ServerError(f"{' '.join(lane)}: a turn without a reply")
                times[lane].append(said.milliseconds)
            step()
    rows = [
        {"assistant": name, "channel": channel, "kind": kind, **latency(found)._asdict()}
        for (name, channel, kind), found in times.items()
    ]
    names = {ready.up.name for ready in assistants}
    ratios = {
        title: ratio_of_medians(times[above, "rest", kind], times[below, "rest", kind])._asdict()
        for title, (kind, above, below) in COMPARED.items()
        if {above, below} <= names
    }
    return {"rows": rows, "ratios": ratios}
