"""Logs without words: one line of JSON a record, in which nothing can stand that a person wrote.

What our own code logs is written with that in mind and stays. Of everybody else's records (Rasa
writes messages, conversations and local variables into them) only the place in the code, the level
and the kinds of the exceptions stay; that holds at every level, debugging included.
"""

import io
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

logger = logging.getLogger(__name__)

OUR_ROOMS = frozenset({"guide", "components", "actions", "channels", "stores"})

# What a server says when it starts, and nothing else; at INFO alone.
_TELLING = frozenset(
    {
        "root",
        "alembic.runtime.migration",
        "rasa.core.run",
        "rasa_sdk.endpoint",
        "sanic.root",
    }
)


def protect_logs() -> None:
    """Make every log of this process one without words. It can be called again.

    What is collected in memory alone, as tests do, stays as it is.
    """
    formatter = ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[_without_words, structlog.processors.JSONRenderer()],
    )
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    for each in loggers:
        for handler in each.handlers:
            if not isinstance(getattr(handler, "stream", None), io.StringIO):
                handler.setFormatter(formatter)
    warnings.showwarning = _show_warning
    sys.excepthook = _show_exception
    threading.excepthook = _show_thread_exception


def _without_words(_: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    record: logging.LogRecord = event["_record"]
    ours = record.name.split(".")[0] in OUR_ROOMS
    # The formatter has taken it off the record, so that nobody else writes it out.
    given = event.get("exc_info")
    error = given[1] if isinstance(given, tuple) else None
    telling = record.name in _TELLING and record.levelno == logging.INFO and error is None
    shown = {
        "time": event["timestamp"],
        "level": event["level"],
        "logger": event["logger"],
        "event": event["event"] if ours or telling else f"{record.module}:{record.lineno}",
    }
    if error is not None:
        shown["exception"] = _exception(error)
    return shown


def _exception(error: BaseException) -> list[dict[str, Any]]:
    """Return an exception with its causes: types and places, neither messages nor variables."""
    chain: list[dict[str, Any]] = []
    while error is not None and len(chain) < 5:
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        chain.append({"type": type(error).__name__, "places": places})
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return chain


def _show_warning(
    message: "Warning | str",
    category: type[Warning],
    filename: str,
    lineno: int,
    file: "TextIO | None" = None,
    line: "str | None" = None,
) -> None:
    logger.warning("%s at %s:%s", category.__name__, filename, lineno)


def _show_exception(
    kind: type[BaseException], error: BaseException, trace: "TracebackType | None"
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logger.critical("the process ends", exc_info=(kind, error, trace))


def _show_thread_exception(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None:
        logger.error("a thread ends", exc_info=given.exc_value)
