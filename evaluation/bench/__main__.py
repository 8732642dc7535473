"""Measures speed side by side: `python -m evaluation.bench`, which is `make bench`."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from evaluation.bench import (
    conversation,
    machine,
    report,
    start,
    throughput,
    topics,
    training,
    turns,
)
from evaluation.bench.assistants import Contestant, Ready, default, floor, ours, prepare
from evaluation.bench.bars import bars
from guide.paths import ROOT
from guide.servers import ServerError

RESULTS = ROOT / "results"
IN_MEMORY = "ours in memory"
LIGHT = "ours, light"

console = Console()


@contextmanager
def progress(name: str, steps: int | None) -> Iterator[Callable[..., None]]:
    """Show a line of progress; what is given goes one step on, and may say what comes next."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as shown:
        task = shown.add_task(name, total=steps)

        def step(what: str = "") -> None:
            shown.update(task, advance=1, description=f"{name}: {what}" if what else name)

        yield step


@contextmanager
def all_up(contestants: Sequence[Contestant]) -> Iterator[list[Ready]]:
    """Run several assistants at once, warmed up."""
    with ExitStack() as stack:
        ready = []
        with progress("starting the assistants", len(contestants)) as step:
            for contestant in contestants:
                up = stack.enter_context(contestant.start())
                ready.append(asyncio.run(prepare(contestant, up)))
                step()
        yield ready


def measure(
    wanted: Sequence[str],
    rounds: int,
    seconds: float,
    starts: int,
    epochs: int,
    sizes: Sequence[int],
) -> dict[str, dict[str, Any]]:
    """Measure the wanted parts (names of report.PARTS) and return what they give."""
    found: dict[str, dict[str, Any]] = {}
    if {"turns", "throughput", "length", "start"} & set(wanted):
        with console.status("training what ours is compared with, unless it is there already"):
            contestants = [floor(), default(epochs), ours()]
    if "start" in wanted:
        started = [*contestants, ours(LIGHT, light=True)]
        with progress("starts", starts * len(started)) as step:
            found["start"] = asyncio.run(start.measure(started, starts, step))
    if {"turns", "throughput", "length"} & set(wanted):
        with all_up(contestants) as ready:
            if "turns" in wanted:
                with (
                    all_up([ours(IN_MEMORY, stores=False)]) as more,
                    progress("turns", rounds) as step,
                ):
                    found["turns"] = asyncio.run(turns.measure([*ready, *more], rounds, step))
            if "throughput" in wanted:
                blocks = len(throughput.VISITORS) * throughput.BLOCKS * len(ready)
                with progress("throughput", blocks) as step:
                    found["throughput"] = asyncio.run(throughput.measure(ready, seconds, step))
            if "length" in wanted:
                conversations = max(2, rounds // 40)
                with progress("conversations", conversations) as step:
                    found["length"] = asyncio.run(
                        conversation.measure(ready[1:], conversations, step)
                    )
    if "growth" in wanted:
        with progress("topics", len(sizes) + 1) as step:
            found["growth"] = topics.measure(sizes, rounds, step)
    if "training" in wanted:
        with console.status("training both pipelines (the default for 12 times as long at most)"):
            found["training"] = training.measure()
    return found


def main(
    only: str = typer.Option(
        ",".join(report.PARTS), metavar="PARTS", help="what to measure, separated by commas"
    ),
    rounds: int = typer.Option(
        200,
        min=2,
        help="turns of each kind, messages understood, and forty times the conversations",
    ),
    seconds: float = typer.Option(6.0, help="of each block of throughput"),
    starts: int = typer.Option(3, min=1, help="how often each assistant is started"),
    epochs: int = typer.Option(1, min=1, help="for the default assistant that is talked to"),
    sizes: str = typer.Option("100,300,1000", "--topics", help="numbers of topics"),
    results: Path = typer.Option(RESULTS, help="where bench.json, bench.md and bench.html go"),
) -> None:
    """Measure speed beside a floor and Rasa's default assistant, in one run on this machine.

    Takes about 40 minutes, most of it the default's training; `--only turns --rounds 20` takes two.
    Nothing else should run meanwhile. Ends with 1 when a bar is missed, 2 when it cannot be done.
    """
    wanted = [part.strip() for part in only.split(",") if part.strip()]
    unknown = set(wanted) - set(report.PARTS)
    if unknown:
        raise typer.BadParameter(f"no part {', '.join(sorted(unknown))}; {', '.join(report.PARTS)}")
    about = machine.describe()
    console.print(machine.sentence(about), highlight=False)
    if not machine.is_quiet(about):
        console.print("[bold red]The machine is busy: the times will mislead.[/]")
    try:
        parts = measure(wanted, rounds, seconds, starts, epochs, [int(n) for n in sizes.split(",")])
    except ServerError as error:
        console.print(f"[bold red]{error}[/]")
        raise typer.Exit(2) from error
    run = report.result(parts, about, date.today().isoformat(), epochs)
    report.write(results, run)
    for bar in bars(parts):
        console.print(str(bar), style=None if bar.kept else "red", highlight=False, markup=False)
    console.print(f"\nwritten: {results.name}/bench.html, bench.md, bench.json")
    raise typer.Exit(0 if all(bar.kept for bar in bars(parts)) else 1)


if __name__ == "__main__":
    typer.run(main)
