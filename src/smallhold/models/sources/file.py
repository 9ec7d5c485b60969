"""A model that is on a disk already: this file holds the `FileSource`."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import anyio
from anyio import to_thread

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.catalog.source_specs import FileSpec
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.sources.protocol import Arrival, FetchJob

_CHUNK_BYTES: Final = 4 << 20
_LOCAL_HOSTS: Final = frozenset({"", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """Copies a file. Never a link: whoever changed the original would change the store."""

    spec: FileSpec

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        return self.spec.name

    async def fetch(self, job: FetchJob) -> Arrival:
        """Copy the file from its beginning; a copy is too quick to be worth resuming."""
        path = anyio.Path(self._path())
        total_bytes = await self._size(path)
        if job.size_bytes not in {None, total_bytes}:
            reason = f"has {total_bytes:,} bytes, the catalog says {job.size_bytes:,}"
            raise SourceUnavailableError(source=self.name, reason=reason)
        await to_thread.run_sync(job.partial.restart, PartialNotes(source=self.name))
        job.require_room(total_bytes)
        async with await self._open(path) as file:
            done_bytes = 0
            while chunk := await self._read(file):
                await to_thread.run_sync(job.partial.append, chunk)
                done_bytes += len(chunk)
                job.report(done_bytes, total_bytes)
        return Arrival()

    def _path(self) -> Path:
        if not self.spec.path.startswith("file:"):
            return Path(self.spec.path)
        parts = urlsplit(self.spec.path)
        if parts.netloc not in _LOCAL_HOSTS:
            reason = "names another machine; mount its disk and give the path"
            raise SourceUnavailableError(source=self.name, reason=reason)
        return Path(url2pathname(parts.path))

    async def _size(self, path: anyio.Path) -> int:
        try:
            status = await path.stat()
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error
        if not stat.S_ISREG(status.st_mode):
            raise SourceUnavailableError(source=self.name, reason="is not a regular file")
        return status.st_size

    async def _open(self, path: anyio.Path) -> anyio.AsyncFile[bytes]:
        try:
            return await path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from error

    async def _read(self, file: anyio.AsyncFile[bytes]) -> bytes:
        try:
            return await file.read(_CHUNK_BYTES)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> SourceUnavailableError:
        reason = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        return SourceUnavailableError(source=self.name, reason=reason)
