"""`kap-guide ask`: what would the assistant say to each line of a file?"""

import json
import sys
import uuid
from pathlib import Path
from typing import Optional

import typer
from rich.console import Console
from rich.progress import track

from guide.command.common import assistant_at, console, fail
from guide.command.show import show_replies
from guide.servers import ServerError


class InputError(Exception):
    """The file of questions is not of a known form."""


def read_questions(name: str) -> list[str]:
    """Return the messages in the file `name` (`-` is standard input): JSONL with `text`, or lines.

    Raises:
        InputError: the file cannot be read, or one of its JSON lines has no text.
    """
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        content = data.decode("utf-8")
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8"
        ) from error
    lines = content.removeprefix("\ufeff").split(
        "\n"
    )  # not splitlines: U+2028 may stand in a message
    lines = [line.removesuffix("\r") for line in lines]
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not filled or not filled[0][1].lstrip().startswith("{"):
        return [line for _, line in filled]
    questions = []
    for number, line in filled:
        try:
            text = json.loads(line)["text"]
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f'{name}:{number}: is not JSON with a text; write {{"text": "..."}} on each line'
            ) from error
        questions.append(text)
    return questions


def ask(
    file: str = typer.Argument(..., help="plain lines, or JSONL with `text`; - for standard input"),
    as_json: bool = typer.Option(
        False, "--json", help="JSONL even on a terminal (piped output always is)"
    ),
    session: bool = typer.Option(
        False, "--session", help="one conversation for the whole file, not one a line"
    ),
    server: Optional[str] = typer.Option(
        None, help="address of a running assistant; otherwise one is started"
    ),
) -> None:
    """What would the assistant say to each line of FILE?

    Every line goes through the real model, rules and actions. JSONL on standard output, in order:
    {"text", "replies": [{"kind", "topic", "text", ...}], "understanding": {"topics", "safety"}}.
    """
    try:
        questions = read_questions(file)
    except InputError as error:
        fail(str(error))
    readable = sys.stdout.isatty() and not as_json
    conversation = f"ask-{uuid.uuid4().hex}"
    with assistant_at(server) as assistant:
        progress = track(
            enumerate(questions),
            total=len(questions),
            description="asking",
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        for number, text in progress:
            try:
                turn = assistant.send(conversation if session else f"{conversation}-{number}", text)
            except ServerError as error:
                fail(f"line {number + 1}: {error}")
            if readable:
                out = Console()
                out.print(f"[bold]> {text!r}[/]")
                show_replies(out, turn.replies)
            else:
                row = {"text": text, "replies": turn.replies, "understanding": turn.understanding}
                print(json.dumps(row, ensure_ascii=False), flush=True)
