"""Where other programs keep models: this file holds the folders that are looked through."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OLLAMA_SERVICE_FOLDER: Final = Path("/usr/share/ollama/.ollama/models")
"""Where Ollama keeps models when it runs as a service. Source: Ollama's FAQ, "Where are models
stored?"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignPlaces:
    """Folders of other programs. None of them need exist."""

    hugging_face: tuple[Path, ...] = ()
    """Caches of `huggingface_hub`."""
    ollama: tuple[Path, ...] = ()
    """Stores of Ollama."""


def foreign_places(
    environ: Mapping[str, str] | None = None, *, user_folder: Path | None = None
) -> ForeignPlaces:
    """Name the folders that those programs would use themselves.

    Args:
        environ: Environment variables, by default those of this process.
        user_folder: The user's own folder, by default that of this process's user.
    """
    variables = os.environ if environ is None else environ
    own = _own_folder() if user_folder is None else user_folder
    return ForeignPlaces(
        hugging_face=_folders(_hugging_face(variables, own)),
        ollama=_folders(variables.get("OLLAMA_MODELS"), *_ollama(own)),
    )


def _hugging_face(environ: Mapping[str, str], own: Path | None) -> str | Path | None:
    """Source: `huggingface_hub.constants`, which reads these variables in this order."""
    cache = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE")
    if cache:
        return cache
    home = environ.get("HF_HOME")
    if home:
        return Path(home) / "hub"
    caches = environ.get("XDG_CACHE_HOME") or (own and own / ".cache")
    return Path(caches) / "huggingface" / "hub" if caches else None


def _ollama(own: Path | None) -> tuple[Path | None, ...]:
    return own and own / ".ollama" / "models", OLLAMA_SERVICE_FOLDER


def _folders(*candidates: str | Path | None) -> tuple[Path, ...]:
    paths = (Path(os.path.normpath(folder)) for folder in candidates if folder)
    # A relative folder would be another one after every `cd`; a NUL ends the path for the system.
    return tuple(
        dict.fromkeys(path for path in paths if path.is_absolute() and "\0" not in str(path))
    )


def _own_folder() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        # A service may run as a user without a folder.
        return None
