"""Measures the running assistant: `python -m evaluation [--data DIR]`, which is `make evaluate`.

Asks every line of the evaluation files through the real model, rules and actions, keeps the answers
under results/, and prints understanding and safety with intervals. Ends with 1 when a bar is
missed. The evaluation data do not belong to the project; without them it says so and ends.
"""

import json
import uuid
from pathlib import Path

import typer
from rich.progress import track

from evaluation import safety, understanding
from guide.command.common import assistant_at, console
from guide.paths import ROOT

DEFAULT_DATA = ROOT.parent / "shared" / "evaluation" / "dev"


def main(
    data: Path = typer.Option(DEFAULT_DATA, envvar="DATA", help="folder of the JSONL files"),
) -> None:
    """Ask all files, then score understanding and safety."""
    if not data.is_dir():
        console.print(f"no evaluation data at {data}: nothing measured (DATA=folder names another)")
        return
    results = ROOT / "results"
    results.mkdir(exist_ok=True)
    run = uuid.uuid4().hex
    with assistant_at(None) as assistant:
        for name in safety.FILES:
            lines = (data / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
            texts = [json.loads(line)["text"] for line in lines if line.strip()]
            with (results / f"{name}.jsonl").open("w", encoding="utf-8") as file:
                for number, text in enumerate(track(texts, name, console=console)):
                    turn = assistant.send(f"{run}-{name}-{number}", text)
                    row = {"text": text, "replies": turn.replies}
                    row["understanding"] = turn.understanding
                    file.write(json.dumps(row) + "\n")
    answers = results / "answers.jsonl"
    parts = [(results / f"{name}.jsonl").read_text(encoding="utf-8") for name in safety.FILES]
    answers.write_text("".join(parts), encoding="utf-8")
    try:
        understanding.main(data, results / "questions.jsonl", server=None, misses=False)
    except typer.Exit as end:
        missed = end.exit_code
    print()
    raise typer.Exit(safety.main(["--data", str(data), "--answers", str(answers)]) or missed)


if __name__ == "__main__":
    typer.run(main)
