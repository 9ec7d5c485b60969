"""Vectors that are computed once on a machine: this file holds the `CachedEmbedder`."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from array import array
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Protocol

from anyio import to_thread

from smallhold.generation import Embedding, EmbedRequest
from smallhold.runtimes.protocol import Embedder

_LOCK_WAIT_S: Final = 5.0
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
)
_LOG = logging.getLogger(__name__)


class TextEmbedder(Embedder, Protocol):
    """An embedder of prompts and of many texts, such as `SentenceEmbedder`."""

    async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        """Embed texts; vectors in their order."""
        ...


class CachedEmbedder:
    """An embedder that keeps the vectors of `embed_texts` on disk, and passes prompts on.

    So what describes tools is remembered and what users say is not. Keys are digests, the texts
    themselves are not stored. A cache that cannot be read or written costs time, never an answer.
    """

    def __init__(self, embedder: TextEmbedder, *, file: Path, model: str) -> None:
        """Wrap an embedder.

        Args:
            embedder: Computes what is not there.
            file: Where vectors are kept; it and its folder are made when needed.
            model: What tells models apart, best the sha256 of the weights.
        """
        self._embedder = embedder
        self._file = file
        self._model = model.encode()

    async def embed(self, request: EmbedRequest) -> Embedding:
        """Embed a prompt, without the cache.

        Raises as the wrapped embedder.
        """
        return await self._embedder.embed(request)

    async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        """Embed texts, computing only those that were never seen.

        Raises as the wrapped embedder.
        """
        keys = [self._key(text) for text in texts]
        known = await to_thread.run_sync(self._read, keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            vectors = await self._embedder.embed_texts(tuple(missing.values()))
            fresh = dict(zip(missing, vectors, strict=True))
            await to_thread.run_sync(self._write, fresh)
            known |= fresh
        return tuple(known[key] for key in keys)

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self._model + b"\0" + text.encode("utf-8", "surrogatepass")).digest()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, tuple[float, ...]]:
        found: dict[bytes, tuple[float, ...]] = {}
        try:
            if not self._file.exists():
                return found
            with self._open() as database:
                for key in dict.fromkeys(keys):
                    row = database.execute(
                        "SELECT vector FROM vectors WHERE key = ?", (key,)
                    ).fetchone()
                    if row is not None:
                        found[key] = tuple(array("f", row[0]))
        except (sqlite3.Error, OSError, ValueError, TypeError) as error:
            _LOG.warning("vectors.unreadable", extra={"file": str(self._file), "error": str(error)})
            return {}
        return found

    def _write(self, vectors: dict[bytes, tuple[float, ...]]) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as database, database:
                database.execute(_SCHEMA)
                database.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                    [(key, array("f", vector).tobytes()) for key, vector in vectors.items()],
                )
        except (sqlite3.Error, OSError) as error:
            _LOG.warning("vectors.unwritten", extra={"file": str(self._file), "error": str(error)})

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=_LOCK_WAIT_S)) as database:
            yield database
