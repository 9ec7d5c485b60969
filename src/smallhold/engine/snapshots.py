"""Prefixes that survive a restart: this file holds the snapshot store on disk.

A snapshot is the keys and values of a prompt's unchanging beginning (instructions and tools). It is
used only if everything it depends on is the same: the model's bytes, the engine's version, the
context's parameters and the tokens. Anything else is ignored and removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from smallhold.engine.tokens import Tokens

State: TypeAlias = bytes | memoryview

_MAGIC: Final = b"SMHKV1\n"
_DIGEST_BYTES: Final = 32
_HEADER_BYTES: Final = len(_MAGIC) + 2 * _DIGEST_BYTES
_SUFFIX: Final = ".kv"
_PARTIAL_SUFFIX: Final = ".part"
_SUFFIXES: Final = frozenset({_SUFFIX, _PARTIAL_SUFFIX})
MIN_SNAPSHOT_TOKENS: Final = 64
"""Shorter prefixes are computed again in about 0.3 s; a snapshot would only wear the disk."""

_log = logging.getLogger(__name__)


def model_fingerprint(path: Path, *, engine_version: str, context: str) -> bytes:
    """Name a model file, engine and context by 32 bytes.

    Stored models are named by their sha256. Any other file is named by its place, size and time of
    change, since hashing gigabytes at each start would cost more than the snapshot saves.
    """
    text = f"{file_identity(path)}|{engine_version}|{context}"
    return hashlib.sha256(text.encode()).digest()


def folder_name(path: Path) -> str:
    """Name the folder of a model's snapshots.

    The same for all states of the file, versions of the engine and contexts, so that what no
    version reads any more counts towards the limit too, and goes out as the oldest does.
    """
    real = path.resolve()
    name = real.name if real.name.startswith("sha256-") else str(real)
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def file_identity(path: Path) -> str:
    """Name a file's bytes as well as can be done without reading them."""
    real = path.resolve()
    if real.name.startswith("sha256-"):
        return real.name
    status = real.stat()
    return f"{real}:{status.st_size}:{status.st_mtime_ns}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotStore:
    """Snapshots of one model in one folder, oldest use out first.

    `variant` names what else the state depends on, such as a LoRA adapter's file.
    """

    folder: Path
    fingerprint: bytes
    limit_bytes: int

    def load(self, tokens: Tokens, *, variant: str) -> bytes | None:
        """Read the state of exactly these tokens, or nothing; unsound files are removed."""
        path = self._path(tokens, variant=variant)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        state = data[_HEADER_BYTES:]
        if data[:_HEADER_BYTES] != self._header(tokens, state, variant=variant):
            _log.warning("snapshot.unsound", extra={"bytes": len(data)})
            self.discard(tokens, variant=variant)
            return None
        # A folder that may only be read serves as well, it merely forgets what was used last.
        with contextlib.suppress(OSError):
            os.utime(path)
        return state

    def discard(self, tokens: Tokens, *, variant: str) -> None:
        """Remove a snapshot that the engine would not take."""
        with contextlib.suppress(OSError):
            self._path(tokens, variant=variant).unlink(missing_ok=True)

    def holds(self, tokens: Tokens, *, variant: str) -> bool:
        """Whether a snapshot of these tokens is there."""
        return self._path(tokens, variant=variant).exists()

    def save(self, tokens: Tokens, state: State, *, variant: str) -> None:
        """Write a snapshot whole or not at all. A disk that refuses costs only the speed-up."""
        size = _HEADER_BYTES + len(state)
        if size > self.limit_bytes:
            _log.info("snapshot.too_large", extra={"bytes": size})
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room(size)
            self._write(
                self._path(tokens, variant=variant),
                self._header(tokens, state, variant=variant),
                state,
            )
        except OSError as error:
            _log.warning("snapshot.not_saved", extra={"errno": error.errno})

    def _write(self, path: Path, *parts: State) -> None:
        with tempfile.NamedTemporaryFile(
            dir=self.folder, suffix=_PARTIAL_SUFFIX, delete=False
        ) as file:
            partial = Path(file.name)
            try:
                file.writelines(parts)
                file.flush()
                partial.replace(path)
            except OSError:
                partial.unlink(missing_ok=True)
                raise

    def _make_room(self, needed_bytes: int) -> None:
        files = sorted(
            ((path.stat().st_mtime_ns, path.stat().st_size, path) for path in self._files()),
        )
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total + needed_bytes <= self.limit_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> list[Path]:
        # What a killed process left half-written takes room too, and goes as the oldest does.
        return [path for path in self.folder.iterdir() if path.suffix in _SUFFIXES]

    def _header(self, tokens: Tokens, state: State, *, variant: str) -> bytes:
        return _MAGIC + self._key(tokens, variant=variant) + hashlib.sha256(state).digest()

    def _key(self, tokens: Tokens, *, variant: str) -> bytes:
        data = tokens.astype("<i4").tobytes()
        return hashlib.sha256(self.fingerprint + variant.encode() + data).digest()

    def _path(self, tokens: Tokens, *, variant: str) -> Path:
        return self.folder / f"{self._key(tokens, variant=variant).hex()}{_SUFFIX}"
