"""A folder that changes: this file holds how documents follow it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Final, Protocol

from anyio import to_thread

from smallhold.exceptions import ConfigError, DocumentError
from smallhold.state.knowledge.files import source_of
from smallhold.state.knowledge.formats import format_of
from smallhold.state.knowledge.known_document import Indexed

DEBOUNCE_MS: Final = 1_600
"""Changes are gathered until there were none for a moment, at most so long: a file that is being
copied is read once. Source: the default of watchfiles."""
TIMEOUT_MS: Final = 1_000
"""How often the watch looks up; also how long it takes to stand."""
_log = logging.getLogger(__name__)


class Followed(Protocol):
    """What follows a folder."""

    async def sync(self, folder: Path) -> tuple[Indexed, ...]:
        """Make the documents those of a folder."""
        ...

    async def take_path(self, path: Path) -> tuple[Indexed, ...]:
        """Take over what became of a path."""
        ...


async def follow(knowledge: Followed, folder: Path) -> AsyncGenerator[Indexed]:
    """Give what is done as a folder changes, for ever.

    Raises:
        ConfigError: watchfiles is not installed.
        DocumentError: It is no folder.
    """
    try:
        # Not on top: it is an extra, and brings a native library.
        from watchfiles import (  # noqa: PLC0415 - see above
            awatch,  # pyright: ignore[reportUnknownVariableType] - trio's, which is not installed
        )
    except ModuleNotFoundError as error:
        remedy = "run `pip install 'smallhold[knowledge]'`"
        raise ConfigError(field="watch", value=str(folder), remedy=remedy) from error
    if not await to_thread.run_sync(folder.is_dir):
        raise DocumentError(
            source=source_of(folder), problem="it is no folder", remedy="Name a folder."
        )
    changes = awatch(folder, debounce=DEBOUNCE_MS, yield_on_timeout=True, rust_timeout=TIMEOUT_MS)
    # The watch must stand before the folder is read, or what changes in between is missed.
    await anext(changes)
    for done in await knowledge.sync(folder):
        yield done
    async for batch in changes:
        paths = [Path(path) for _, path in batch]
        for path in outermost(path for path in paths if is_followed(path, folder=folder)):
            _log.info("knowledge.changed", extra={"path": str(path)})
            for done in await knowledge.take_path(path):
                yield done


def is_followed(path: Path, *, folder: Path) -> bool:
    """Tell whether a changed path may be a document, or a folder of documents."""
    inside = path.relative_to(folder.absolute()) if path.is_absolute() else path
    if any(part.startswith(".") for part in inside.parts):
        return False
    return format_of(path.name) is not None or path.is_dir() or not path.suffix


def outermost(paths: Iterable[Path]) -> list[Path]:
    """Leave out paths that are inside others, and name each once, by name."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept
