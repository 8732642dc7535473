"""Strict reading of the YAML files that clinicians and developers edit."""

from pathlib import Path
from typing import Any

import yaml

from guide.paths import ROOT


class ContentError(Exception):
    """A content file is wrong. The message is one line: file, place, what is wrong, remedy."""

    def __init__(self, path: Path, place: str, problem: str, remedy: str) -> None:
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        super().__init__(f"{shown}: {place}: {problem}; {remedy}")


class _StrictLoader(yaml.CSafeLoader):
    """A safe loader, in C for a quick start, that refuses a key that stands twice.

    Plain YAML silently keeps the last.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_yaml(path: Path) -> Any:
    """Return the parsed content of `path`.

    Raises:
        ContentError: the file is missing, is not UTF-8, is not YAML, or repeats a key.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)  # noqa: S506 (is a SafeLoader)
    except OSError as error:
        raise ContentError(
            path, "file", error.strerror or "cannot be read", "restore it or check its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise ContentError(
            path, f"byte {error.start}", "is not UTF-8 text", "save the file as UTF-8"
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        raise ContentError(
            path, place, error.problem or "is not YAML", "correct the YAML there"
        ) from error


def require(data: Any, key: str, kind: type | tuple[type, ...], path: Path, place: str) -> Any:
    """Return `data[key]`, checked to be of `kind`.

    Raises:
        ContentError: `data` is no mapping, lacks the key, or holds another type there.
    """
    if not isinstance(data, dict) or key not in data:
        raise ContentError(path, f"{place}.{key}".strip("."), "is missing", "add it")
    value = data[key]
    if not isinstance(value, kind):
        wanted = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
        raise ContentError(
            path,
            f"{place}.{key}".strip("."),
            f"is {type(value).__name__}, not {wanted}",
            "correct the value",
        )
    return value
