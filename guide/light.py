"""The light mode, Rasa serving without TensorFlow: `python -m guide.light run --model FILE …`

Rasa imports TensorFlow with its server, though nothing of our model uses it: seconds at the start,
and a third of the memory. Here stands in for it what can be imported, named in type hints and
inherited from. Whatever would compute with it fails, so a model that needs it is not loaded.
Training needs the real one. See docs/adr/0010-serving-without-tensorflow.md.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from runpy import run_module
from types import FunctionType, ModuleType
from typing import Any

from guide.environment import setting

_LEFT_OUT = frozenset({"tensorflow", "keras", "tensorflow_hub", "tensorflow_text"})


class LeftOutError(Exception):
    """Something needs TensorFlow, which the light mode leaves out."""


def is_wanted() -> bool:
    """Return whether the environment asks for the light mode (LIGHT=1)."""
    return setting("LIGHT", "") not in ("", "0")


def leave_out_tensorflow() -> None:
    """Let every later import of TensorFlow find the stand-in."""
    # spaCy's thinc asks whether TensorFlow is there, and would use it.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    import thinc.compat  # noqa: F401

    del sys.modules["tensorflow"]
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder, Loader):
    """Finds each module of TensorFlow to be a stand-in."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] in _LEFT_OUT:
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is in it."""


class _Module(ModuleType):
    """Has every name that is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(name, (), {})


class _Nothing(type):
    """A class that can be inherited from, and has every name; as a decorator it changes nothing."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(name, (), {})

    def __call__(cls, *given: Any, **settings: Any) -> Any:
        # Not of a class that inherits from it: only as a decorator, bare or with settings.
        if cls.__bases__ == (object,):
            if len(given) == 1 and isinstance(given[0], (FunctionType, type)):
                return given[0]
            if settings and not given:
                return cls
        raise LeftOutError("a model that needs TensorFlow cannot be served with LIGHT=1")


def main(arguments: Sequence[str]) -> None:
    """Run `rasa` with these arguments."""
    leave_out_tensorflow()
    sys.argv = ["rasa", *arguments]
    run_module("rasa", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
