"""What a store remembers without opening a file: this file holds its marks, which are empty files.

Each mark is a file of its own that is made, touched or removed in one step. So no two processes
can overwrite each other's, and no lock is needed.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from smallhold.models.store.layout import StoreLayout

_NANOSECONDS: Final = 1_000_000_000
_LOG = logging.getLogger(__name__)


class StoreMarks:
    """When each model was last used, and which must stay."""

    def __init__(self, layout: StoreLayout, *, now_s: Callable[[], float] = time.time) -> None:
        self._layout = layout
        self._now_s = now_s

    def touch(self, sha256: str) -> None:
        """Note that a model is used now. On a read-only disk there is no note, and no harm."""
        path = self._layout.use(sha256)
        at_ns = int(self._now_s() * _NANOSECONDS)
        try:
            _make(path)
            os.utime(path, ns=(at_ns, at_ns))
        except OSError as error:
            _LOG.debug("store.use_not_noted", extra={"path": str(path), "error": error.strerror})

    def last_used_s(self, sha256: str) -> float | None:
        """When a model was last used, in seconds since the epoch; `None`: never."""
        try:
            return self._layout.use(sha256).stat().st_mtime
        except OSError:
            return None

    def forget_use(self, sha256: str) -> None:
        """Forget when a model was used."""
        self._layout.use(sha256).unlink(missing_ok=True)

    def pin(self, reference: str) -> None:
        """Keep a model from being evicted."""
        _make(self._layout.pin(reference))

    def unpin(self, reference: str) -> None:
        """Allow a model to be evicted again; it need not have been pinned."""
        self._layout.pin(reference).unlink(missing_ok=True)

    def is_pinned(self, reference: str) -> bool:
        """Whether a model must stay."""
        return self._layout.pin(reference).exists()

    def uses_but(self, digests: frozenset[str]) -> tuple[Path, ...]:
        """The marks of uses of models other than these.

        Pins are no such leftovers: a pinned model that was lost is pinned again when it is back.
        """
        wanted = {self._layout.use(digest).name for digest in digests}
        files = sorted(self._layout.folder("uses").glob("*"))
        return tuple(path for path in files if path.name not in wanted)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
