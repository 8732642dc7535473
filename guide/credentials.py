"""Rasa's credentials: it takes one file, so the channels that are wanted are put into one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from guide.content import load_yaml
from guide.environment import SettingError
from guide.paths import ROOT
from guide.staff_settings import SlackSettings, TelegramSettings

STAFF_CHANNELS = {"slack": SlackSettings.load, "telegram": TelegramSettings.load}


def wanted(names: str) -> list[str]:
    """Return the staff channels that `names` lists ("slack,telegram"; nothing is none).

    Raises:
        SettingError: there is no such channel, or a setting of one is missing or wrong.
    """
    found = list(dict.fromkeys(name.strip().lower() for name in names.split(",") if name.strip()))
    for name in found:
        if name not in STAFF_CHANNELS:
            known = ", ".join(STAFF_CHANNELS)
            raise SettingError(f"there is no staff channel {name!r}; there are {known}")
        STAFF_CHANNELS[name]()
    return found


def merged(base: Path, channels: Sequence[str]) -> str:
    """Return the credentials of the file `base` with those of the staff channels, as YAML."""
    credentials: dict[str, Any] = dict(load_yaml(base) or {})
    for name in channels:
        credentials.update(load_yaml(ROOT / "credentials" / f"{name}.yml"))
    return yaml.safe_dump(credentials, sort_keys=False)
