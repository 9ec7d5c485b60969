"""What the environment decides for the whole package: this file holds the frozen `Settings`.

`settings_from` is a pure function of a mapping, so a test or a service can build settings without
touching the process's own environment; `load_settings` applies it to `os.environ`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from smallhold.exceptions import ConfigError

HOME_VARIABLE: Final = "SMALLHOLD_HOME"
"""Folder of everything worth keeping: models, sessions, audit."""
CACHE_VARIABLE: Final = "SMALLHOLD_CACHE"
"""Folder of everything that can be made again: prefix snapshots, build trees."""
OFFLINE_VARIABLE: Final = "SMALLHOLD_OFFLINE"
"""Truth value; when true, nothing of Smallhold opens a connection to fetch something."""

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings that hold for the whole process."""

    home: Path
    """Absolute folder of data to keep; it need not exist yet."""
    cache: Path
    """Absolute folder of data that can be made again; it need not exist yet."""
    offline: bool = False
    """Refuse every source that would need a network."""

    @property
    def model_store(self) -> Path:
        """Folder of the model store inside `home`."""
        return self.home / "models"


def settings_from(
    environ: Mapping[str, str], *, default_home: Path, default_cache: Path
) -> Settings:
    """Read settings out of a mapping of environment variables; an empty value counts as unset.

    Raises:
        ConfigError: A variable has a value that cannot be used.
    """
    return Settings(
        home=_folder(environ, HOME_VARIABLE, default=default_home),
        cache=_folder(environ, CACHE_VARIABLE, default=default_cache),
        offline=_truth(environ, OFFLINE_VARIABLE),
    )


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from `environ`, by default the process's own environment.

    Raises:
        ConfigError: A variable has a value that cannot be used.
    """
    return settings_from(
        os.environ if environ is None else environ,
        default_home=platformdirs.user_data_path("smallhold", appauthor=False),
        default_cache=platformdirs.user_cache_path("smallhold", appauthor=False),
    )


def _folder(environ: Mapping[str, str], variable: str, *, default: Path) -> Path:
    value = environ.get(variable, "")
    if not value:
        return default
    # A relative folder would mean another place after every `cd`, and models would seem to vanish.
    if "\0" in value or not Path(value).is_absolute():
        raise ConfigError(
            field=variable, value=value, remedy="write the folder as an absolute path"
        )
    return Path(os.path.normpath(value))


def _truth(environ: Mapping[str, str], variable: str) -> bool:
    value = environ.get(variable, "")
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ConfigError(
            field=variable, value=value, remedy="write 1 or 0 (or true/false, yes/no)"
        )
    return word in _TRUE
