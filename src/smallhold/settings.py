"""What the environment decides for the whole package: this file holds the frozen `Settings`.

`settings_from` is a pure function of a mapping, so a test or a service can build settings without
touching the process's own environment; `load_settings` applies it to `os.environ`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
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

CATALOG_VARIABLE: Final = "SMALLHOLD_CATALOG"
"""File of models that are added to the packaged catalog."""
CATALOG_KEYS_VARIABLE: Final = "SMALLHOLD_CATALOG_KEYS"
"""Public keys, separated by commas; when there are any, only models signed by one are used."""
VERIFY_VARIABLE: Final = "SMALLHOLD_VERIFY_ON_LOAD"
"""Truth value; when true, a model's file is hashed whenever it is loaded."""
MODEL_CACHE_VARIABLE: Final = "SMALLHOLD_MODEL_CACHE_SIZE"
"""Disk space that models may take, such as `20GB`."""
PULL_RATE_VARIABLE: Final = "SMALLHOLD_PULL_RATE"
"""Bytes that pulls may fetch in a second, such as `5MB`."""

_UNITS: Final = {
    "": 1,
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGT", start=1)},
    **{f"{prefix}IB": 1024**power for power, prefix in enumerate("KMGT", start=1)},
}
_SIZE: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]{0,3})")
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
    catalog: Path | None = None
    """Absolute path of a file of models beside the packaged ones; `None` looks for `catalog.yaml`
    in `home`."""
    catalog_keys: tuple[str, ...] = ()
    """Public keys; when there are any, only models that one of them signed are used."""
    verify_on_load: bool = False
    """Hash a model's file whenever it is loaded."""
    model_cache_bytes: int | None = None
    """Disk space that models may take; `None` is no limit."""
    pull_rate_bytes_s: int | None = None
    """Bytes that pulls may fetch in a second; `None` is no limit."""

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
        catalog=_path(environ, CATALOG_VARIABLE),
        catalog_keys=tuple(
            key
            for part in environ.get(CATALOG_KEYS_VARIABLE, "").split(",")
            if (key := part.strip())
        ),
        verify_on_load=_truth(environ, VERIFY_VARIABLE),
        model_cache_bytes=_size(environ, MODEL_CACHE_VARIABLE),
        pull_rate_bytes_s=_size(environ, PULL_RATE_VARIABLE),
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


def parse_bytes(text: str, *, field: str) -> int:
    """Read a size as people write it: `4GB` is 4e9 bytes, `4GiB` 2**32, `500` is 500 bytes.

    Args:
        text: A number of at least one byte, with or without a unit.
        field: What the size is for, named in the error.

    Raises:
        ConfigError: It is no such size.
    """
    match = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(match.group(2).upper()) if match else None
    size_bytes = 0 if match is None or unit is None else int(Decimal(match.group(1)) * unit)
    if size_bytes < 1:
        raise ConfigError(field=field, value=text, remedy="write a size such as 500MB, 4GB or 4GiB")
    return size_bytes


def _folder(environ: Mapping[str, str], variable: str, *, default: Path) -> Path:
    return _path(environ, variable) or default


def _path(environ: Mapping[str, str], variable: str) -> Path | None:
    value = environ.get(variable, "")
    if not value:
        return None
    # A relative path would mean another place after every `cd`, and models would seem to vanish.
    if "\0" in value or not Path(value).is_absolute():
        raise ConfigError(field=variable, value=value, remedy="write it as an absolute path")
    return Path(os.path.normpath(value))


def _size(environ: Mapping[str, str], variable: str) -> int | None:
    value = environ.get(variable, "")
    return parse_bytes(value, field=variable) if value else None


def _truth(environ: Mapping[str, str], variable: str) -> bool:
    value = environ.get(variable, "")
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ConfigError(
            field=variable, value=value, remedy="write 1 or 0 (or true/false, yes/no)"
        )
    return word in _TRUE
