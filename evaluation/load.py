"""Throughput of the assistant on this machine: `python -m evaluation.load`.

Visitors of the website's channel talk without pause to one or more assistants on loopback, through
real sessions, model, action server and stores (those of DATABASE_URL and REDIS_URL, else SQLite and
memory). The visitors' own work is done on the same cores and is counted apart. What one message
costs in processor time carries over to other machines better than messages a second.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import aiohttp

from evaluation.visitors import Said, WebVisitor, talk
from guide.content import load_yaml
from guide.paths import FAQ, ROOT
from guide.servers import HOST, Server, ServerError, environment, free_port

START_SECONDS = 180.0
FOLLOW_UPS = ("tell me more", "where is that from?", "what else can i ask?")
OTHERS = ("what is the capital of france", "hello", "thanks", "will it rain tomorrow")
CRISES = ("i want to die", "i cut myself again")
# Out of a hundred messages: topic questions, follow-ups, others, crises.
WEIGHTS = (70, 15, 12, 3)
CREDENTIALS = """channels.web.WebChannel:
  session_messages: 1000000/minute
  address_messages: 1000000/minute
  address_sessions: 1000000/minute
"""


@dataclass(frozen=True)
class Run:
    """One measurement. Times in milliseconds; processor time of the servers for each message."""

    assistants: int
    visitors: int
    messages: int
    failed: int
    per_second: float
    median: float
    p95: float
    p99: float
    assistant_cpu: float
    actions_cpu: float
    visitors_cpu: float
    cores_busy: float


@dataclass(frozen=True)
class Servers:
    """Running assistants (their addresses and processes) and one action server."""

    urls: list[str]
    assistants: list[Server]
    actions: Server


@lru_cache(maxsize=1)
def questions() -> list[str]:
    """Return one example question of every topic."""
    found = []
    for path in sorted(FAQ.glob("*.yml")):
        for block in load_yaml(path)["nlu"]:
            found.append(block["examples"].splitlines()[0].removeprefix("- "))
    return found


@contextmanager
def servers(assistants: int) -> Iterator[Servers]:
    """Run so many assistants and one action server, as production starts them."""
    action_port = free_port()
    ports = [free_port() for _ in range(assistants)]
    started: list[Server] = []
    with tempfile.TemporaryDirectory() as folder:
        credentials = Path(folder) / "credentials.yml"
        credentials.write_text(CREDENTIALS, encoding="utf-8")
        env = {"WEB_SECRET": "m" * 64, **environment(action_port)}

        def start(name: str, port: int, *more: str) -> Server:
            command = ["guide.command", "serve", name, "--port", str(port), *more]
            log = ROOT / "build" / "logs" / f"load-{name}-{port}.log"
            started.append(Server(name, command, env, log))
            return started[-1]

        try:
            actions = start("actions", action_port)
            running = [start("assistant", p, "--credentials", str(credentials)) for p in ports]
            urls = [f"http://{HOST}:{port}" for port in ports]
            asyncio.run(_ready(urls, started))
            yield Servers(urls, running, actions)
        finally:
            for server in reversed(started):
                server.stop()


async def _ready(urls: Sequence[str], started: Sequence[Server]) -> None:
    deadline = time.monotonic() + START_SECONDS
    async with aiohttp.ClientSession() as http:
        for url in urls:
            while time.monotonic() < deadline:
                for server in started:
                    server.require_alive()
                try:
                    async with http.get(f"{url}/webhooks/web/ready") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.5)
            else:
                raise ServerError(f"{url} is not ready after {START_SECONDS:.0f} s")


async def visit(http: aiohttp.ClientSession, url: str, seed: int, until: float) -> list[Said]:
    """Be one visitor until the time is over, and return what was heard."""
    chance = random.Random(seed)  # noqa: S311 (a choice of questions)
    kinds = (questions(), FOLLOW_UPS, OTHERS, CRISES)
    heard: list[Said] = []
    await talk(
        WebVisitor(http, url),
        lambda: chance.choice(chance.choices(kinds, WEIGHTS)[0]),
        until,
        heard.append,
    )
    return heard


def cpu_seconds(server: Server) -> float:
    """Return the processor time that a server has used (Linux)."""
    stat = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(server: Server) -> float:
    """Return a server's own share of memory in MB (Linux: PSS)."""
    rollup = Path(f"/proc/{server.process.pid}/smaps_rollup").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in rollup.splitlines() if line[:4] == "Pss:") / 1024


def measure(up: Servers, visitors: int, seconds: float) -> Run:
    """Let so many visitors talk for so long; each stays with one assistant, in turn."""

    async def all_of_them() -> list[list[Said]]:
        until = time.monotonic() + seconds
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            talks = (visit(http, up.urls[n % len(up.urls)], n, until) for n in range(visitors))
            return await asyncio.gather(*talks)

    asyncio.run(_warm_up(up))
    cpu = [sum(map(cpu_seconds, up.assistants)), cpu_seconds(up.actions), time.process_time()]
    began = time.monotonic()
    said = [each for heard in asyncio.run(all_of_them()) for each in heard]
    took = time.monotonic() - began
    after = [sum(map(cpu_seconds, up.assistants)), cpu_seconds(up.actions), time.process_time()]
    used = [b - a for a, b in zip(cpu, after, strict=True)]
    times = [each.milliseconds for each in said]
    cuts = statistics.quantiles(times, n=100)
    each = [value * 1000 / len(times) for value in used]
    return Run(
        assistants=len(up.urls),
        visitors=visitors,
        messages=len(times),
        failed=sum(not each.ok for each in said),
        per_second=round(len(times) / took, 1),
        median=round(cuts[49], 1),
        p95=round(cuts[94], 1),
        p99=round(cuts[98], 1),
        assistant_cpu=round(each[0], 1),
        actions_cpu=round(each[1], 1),
        visitors_cpu=round(each[2], 1),
        cores_busy=round(sum(used) / took, 2),
    )


async def _warm_up(up: Servers) -> None:
    async with aiohttp.ClientSession() as http:
        for url in up.urls:
            await visit(http, url, 0, time.monotonic() + 2)


def main() -> None:
    """Measure and print one line a run, and each server's memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--assistants", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=15.0, help="of each run")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for assistants in given.assistants:
        with servers(assistants) as up:
            for visitors in given.visitors:
                run = asdict(measure(up, visitors, given.seconds))
                rows.append(run)
                print("  ".join(f"{name} {value}" for name, value in run.items()), flush=True)
            shares = ", ".join(f"{s.name} {memory_mb(s):.0f}" for s in (*up.assistants, up.actions))
            print(f"memory in MB: {shares}; load of the machine: {os.getloadavg()[0]:.1f}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
