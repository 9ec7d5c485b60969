"""An archive as bytes that come one after the other: this file holds the `ArchiveReader`.

Whatever it reads may be hostile. Its manifest says what must follow, and every header, size and
digest is compared with that; no name in the archive is ever used as a path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from smallhold.exceptions import ConfigError, InvalidArchiveError
from smallhold.models.archives.manifest import (
    MANIFEST_MAX_BYTES,
    MANIFEST_NAME,
    ArchivedFile,
    Manifest,
    read_manifest,
)
from smallhold.models.archives.parts import PartReader, existing_parts
from smallhold.models.archives.tar_members import BLOCK_BYTES, Member, read_header

_CHUNK_BYTES: Final = 4 << 20


class ArchiveReader:
    """Reads one archive from its first member to its last."""

    def __init__(self, path: Path) -> None:
        """Open an archive and read its manifest.

        Args:
            path: The archive, or its first part.

        Raises:
            ConfigError: There is no such file.
            InvalidArchiveError: It is no archive, or is longer or shorter than it says.
        """
        self._path = str(path)
        parts = existing_parts(path)
        if not parts:
            raise ConfigError(
                field="archive",
                value=self._path,
                remedy="there is no such file; name the archive, or its part that ends in .001",
            )
        with self._readable():
            self._parts = PartReader(parts)
        try:
            self.manifest = self._manifest()
        except BaseException:
            self._parts.close()
            raise

    def __enter__(self) -> Self:
        """Begin to read."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self._parts.close()

    def skip(self, file: ArchivedFile) -> None:
        """Pass over the file that comes next.

        Raises:
            InvalidArchiveError: Another one comes.
        """
        self._expect(file.member)
        self._skip(file.size_bytes + file.member.padding_bytes)

    def copy(self, file: ArchivedFile, *, write: Callable[[bytes], None]) -> None:
        """Hand out the file that comes next, piece by piece.

        Raises:
            InvalidArchiveError: Another one comes, it ends early, or its bytes are not what the
                manifest says; that is known only after the last piece was handed out.
        """
        self._expect(file.member)
        digest, left_bytes = hashlib.sha256(), file.size_bytes
        while left_bytes and (data := self._read(min(left_bytes, _CHUNK_BYTES))):
            digest.update(data)
            write(data)
            left_bytes -= len(data)
        if left_bytes:
            raise self._error(problem=f"it ends in the middle of {file.entry.reference}")
        if digest.hexdigest() != file.sha256:
            problem = f"the bytes of {file.entry.reference} were changed; their sha256 is "
            raise self._error(problem=problem + digest.hexdigest())
        self._skip(file.member.padding_bytes)

    def _manifest(self) -> Manifest:
        member = read_header(self._read_exactly(BLOCK_BYTES))
        if member is None or member.name != MANIFEST_NAME:
            raise self._error(problem="it is no archive that `smallhold models export` wrote")
        if member.size_bytes > MANIFEST_MAX_BYTES:
            problem = f"its manifest has {member.size_bytes:,} bytes, allowed are "
            raise self._error(problem=f"{problem}{MANIFEST_MAX_BYTES:,}")
        manifest = read_manifest(self._read_exactly(member.size_bytes), path=self._path)
        self._skip(member.padding_bytes)
        expected_bytes = manifest.archive_bytes(manifest_bytes=member.size_bytes)
        if self._parts.size_bytes != expected_bytes:
            problem = f"it has {self._parts.size_bytes:,} bytes instead of {expected_bytes:,}"
            raise self._error(problem=f"{problem}, so it was cut short, or a part of it is missing")
        return manifest

    def _expect(self, member: Member) -> None:
        if read_header(self._read_exactly(BLOCK_BYTES)) != member:
            raise self._error(problem=f"{member.name} does not come where the manifest says")

    def _read(self, size_bytes: int) -> bytes:
        with self._readable():
            return self._parts.read(size_bytes)

    def _read_exactly(self, size_bytes: int) -> bytes:
        with self._readable():
            return self._parts.read_exactly(size_bytes)

    def _skip(self, size_bytes: int) -> None:
        with self._readable():
            self._parts.skip(size_bytes)

    @contextmanager
    def _readable(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            # A stick that was pulled out must not pass for a store that cannot be written.
            raise self._error(problem=f"it cannot be read ({error.strerror})") from error

    def _error(self, *, problem: str) -> InvalidArchiveError:
        return InvalidArchiveError(path=self._path, problem=problem)
