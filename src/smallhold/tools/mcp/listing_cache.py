"""What servers offered when they were last asked: this file holds the files that remember it.

An agent's prompt begins with its tools. If they are known before their server has started, and are
the same, byte for byte, as the last time, then the prompt's prefix need not be computed again.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.mcp.offers import Listing
from smallhold.tools.mcp.reading import objects, read_prompt, read_tool, write_prompt, write_tool

_VERSION: Final = 1
_IDENTITY: Final = re.compile(r"[0-9a-f]{64}")
_FILE_LIMIT_BYTES: Final = 64 * 1024 * 1024
"""No listing that a client takes is longer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is known of one server."""

    shown: Listing
    """What models are shown."""
    newest: Listing | None = None
    """What it offers by now, if that is something else."""


Loaded: TypeAlias = Remembered | None


class ListingCache:
    """A folder with one file for each server, which may be deleted at any time."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; it is made when something is first remembered."""
        self._folder = folder

    def load(self, identity: str) -> Loaded:
        """Recall a server; `None` if it is not known, or its file is damaged.

        Args:
            identity: As `addresses.identity_of` gives it.
        """
        path = self._path(identity)
        try:
            if path.stat().st_size > _FILE_LIMIT_BYTES:
                return None
            return _read(json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("mcp.cache_unreadable", extra={"error": type(error).__name__})
            return None

    def save(self, identity: str, remembered: Remembered) -> None:
        """Remember a server. A folder that cannot be written costs only the remembering."""
        path = self._path(identity)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(path, json.dumps(_written(remembered)))
        except OSError as error:
            _log.warning("mcp.cache_not_written", extra={"error": type(error).__name__})

    def _path(self, identity: str) -> Path:
        if not _IDENTITY.fullmatch(identity):
            msg = "an identity is 64 hexadecimal digits"
            raise ValueError(msg)
        return self._folder / f"{identity}.json"


def _replace(path: Path, text: str) -> None:
    """Write a file so that another process sees the old one or the new one, whole."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem[:8])
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _written(remembered: Remembered) -> JsonObject:
    newest = None if remembered.newest is None else _written_listing(remembered.newest)
    return {"v": _VERSION, "shown": _written_listing(remembered.shown), "newest": newest}


def _written_listing(listing: Listing) -> JsonObject:
    tools: list[JsonValue] = [write_tool(tool) for tool in listing.tools]
    prompts: list[JsonValue] = [write_prompt(prompt) for prompt in listing.prompts]
    return {"tools": tools, "prompts": prompts, "has_resources": listing.has_resources}


def _read(data: object) -> Loaded:
    if not isinstance(data, dict):
        return None
    stored = cast("JsonObject", data)
    shown, newest = stored.get("shown"), stored.get("newest")
    if stored.get("v") != _VERSION or not isinstance(shown, dict):
        return None
    return Remembered(
        shown=_read_listing(shown),
        newest=_read_listing(newest) if isinstance(newest, dict) else None,
    )


def _read_listing(data: JsonObject) -> Listing:
    return Listing(
        tools=tuple(read_tool(each) for each in objects(data.get("tools"))),
        prompts=tuple(read_prompt(each) for each in objects(data.get("prompts"))),
        has_resources=data.get("has_resources") is True,
    )
