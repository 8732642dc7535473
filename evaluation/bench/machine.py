"""The machine that a measurement was made on."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("rasa", "rasa-sdk", "tensorflow", "onnxruntime", "numpy", "sanic", "jsonschema")
QUIET = 0.3
"""Load for each core up to which a machine counts as quiet."""


def describe() -> dict[str, Any]:
    """Return what the machine is, and its load now (Linux)."""
    cpus = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    named = re.search(r"^model name\s*:\s*(.+)$", cpus, re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": named[1] if named else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "load": round(os.getloadavg()[0], 2),
    }


def is_quiet(machine: dict[str, Any]) -> bool:
    """Return whether a described machine had little else to do."""
    return bool(machine["load"] <= QUIET * machine["cores"])


def sentence(machine: dict[str, Any]) -> str:
    """Return a described machine in words."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}, {packages}; "
        f"load at the beginning {machine['load']}"
    )
