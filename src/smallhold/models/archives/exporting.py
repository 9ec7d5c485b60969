"""From the store to one archive: this file holds the export of models."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.exceptions import (
    ArchiveNotWritableError,
    ConfigError,
    ModelChangedError,
    ModelNotInstalledError,
)
from smallhold.models.archives.file_limits import file_limit_bytes
from smallhold.models.archives.manifest import MANIFEST_NAME, ArchivedFile, Manifest
from smallhold.models.archives.parts import (
    MAX_PARTS,
    PartWriter,
    existing_parts,
    part_path,
)
from smallhold.models.archives.tar_members import END, Member, member_header
from smallhold.models.catalog.catalog import Catalog
from smallhold.models.store.file_digest import ReportBytes, ignore_bytes, open_file
from smallhold.models.store.guard import DISK_FULL, NOT_WRITABLE, disk_free_bytes
from smallhold.models.store.store import ModelStore

DEFAULT_ARCHIVE_NAME: Final = "smallhold-models.tar"
"""Name of the archive where only a folder is given."""

MIN_SPLIT_BYTES: Final = 1_000_000
_CHUNK_BYTES: Final = 4 << 20
_SPLIT_ADVICE: Final = "split the archive with `--split 4GB`"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlan:
    """What would be written where."""

    path: Path
    """The archive; with `split_bytes`, `.001` and so on are added to it."""
    manifest: Manifest
    sources: tuple[Path, ...]
    """Where each file of the manifest lies."""
    archive_bytes: int
    split_bytes: int | None

    @property
    def part_count(self) -> int:
        """How many files are written."""
        return 1 if self.split_bytes is None else -(-self.archive_bytes // self.split_bytes)


def plan_export(
    references: Sequence[str],
    *,
    store: ModelStore,
    catalog: Catalog,
    path: Path,
    split_bytes: int | None = None,
) -> ExportPlan:
    """Find out what an archive of some models would be; nothing is read but names and sizes.

    Args:
        references: Aliases or references; a model that is named twice is exported once.
        store: Where the models are.
        catalog: Where their facts are, which go with them.
        path: The archive, or an existing folder for it.
        split_bytes: The largest file that may be written, in bytes; `None`: one file.

    Raises:
        UnknownModelError: No such alias.
        ModelNotInstalledError: A model is not in the store.
        ConfigError: The folder does not exist, or the parts would be too small or too many.
    """
    entries = {entry.reference: entry for entry in map(catalog.resolve, references)}
    files: list[ArchivedFile] = []
    sources: list[Path] = []
    for entry in entries.values():
        source, sha256 = store.require(entry), store.digest(entry)
        if sha256 is None:
            raise ModelNotInstalledError(alias=entry.reference)
        sources.append(source)
        files.append(
            ArchivedFile(
                model=catalog.model(entry.alias),
                entry=entry,
                sha256=sha256,
                size_bytes=source.stat().st_size,
            )
        )
    manifest = Manifest(files=tuple(files))
    plan = ExportPlan(
        path=path / DEFAULT_ARCHIVE_NAME if path.is_dir() else path,
        manifest=manifest,
        sources=tuple(sources),
        archive_bytes=manifest.archive_bytes(manifest_bytes=len(manifest.to_bytes())),
        split_bytes=split_bytes,
    )
    _check_place(plan)
    return plan


def export_models(
    plan: ExportPlan,
    *,
    replaces: bool = False,
    report: ReportBytes = ignore_bytes,
    free_bytes: Callable[[Path], int] = disk_free_bytes,
) -> tuple[Path, ...]:
    """Write an archive. Each file is hashed while it is copied, and must be what was stored.

    Args:
        plan: What to write where.
        replaces: Whether an archive of that name may be replaced; it stays until the new one is
            whole.
        report: Told how far it has come; what it raises ends the work.
        free_bytes: Tells the room on a disk.

    Returns:
        The files of the archive.

    Raises:
        ConfigError: An archive of that name is there.
        ArchiveNotWritableError: The disk is full or read-only, or cannot hold so large a file.
        ModelChangedError: A model is not what was stored; nothing of the archive was left.
    """
    old = _old_files(plan.path)
    if old and not replaces:
        remedy = "it is there already; give another name, or --force to replace it"
        raise ConfigError(field="archive", value=str(old[0]), remedy=remedy)
    folder = plan.path.parent
    _require_room(plan, free_bytes=free_bytes(folder))
    with _translated_errors(plan.path):
        with PartWriter(plan.path, split_bytes=plan.split_bytes) as writer:
            _Export(plan=plan, writer=writer, report=report).write()
            written = writer.finish()
        for path in old:
            if path not in written:
                path.unlink()
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class _Export:
    plan: ExportPlan
    writer: PartWriter
    report: ReportBytes

    def write(self) -> None:
        manifest = self.plan.manifest.to_bytes()
        member = Member(name=MANIFEST_NAME, size_bytes=len(manifest))
        self.writer.write(member_header(member) + manifest + bytes(member.padding_bytes))
        done_bytes = member.whole_bytes
        written: set[Member] = set()
        for file, source in zip(self.plan.manifest.files, self.plan.sources, strict=True):
            if file.member not in written:
                written.add(file.member)
                self._copy(file, source, done_bytes=done_bytes)
                done_bytes += file.member.whole_bytes
        self.writer.write(END)
        self.report(self.plan.archive_bytes, self.plan.archive_bytes)

    def _copy(self, file: ArchivedFile, source: Path, *, done_bytes: int) -> None:
        member, digest, left_bytes = file.member, hashlib.sha256(), file.size_bytes
        self.writer.write(member_header(member))
        buffer = memoryview(bytearray(_CHUNK_BYTES))
        with _opened(file, source) as handle:
            while left_bytes and (count := os.readv(handle, [buffer[:left_bytes]])):
                digest.update(buffer[:count])
                self.writer.write(buffer[:count])
                left_bytes -= count
                done_bytes += count
                self.report(done_bytes, self.plan.archive_bytes)
        if left_bytes or digest.hexdigest() != file.sha256:
            problem = "is shorter" if left_bytes else f"has the sha256 {digest.hexdigest()}"
            raise ModelChangedError(alias=file.entry.reference, path=str(source), problem=problem)
        self.writer.write(bytes(member.padding_bytes))


@contextmanager
def _opened(file: ArchivedFile, source: Path) -> Generator[int]:
    try:
        handle = open_file(source.resolve())
    except OSError as error:
        raise ModelChangedError(
            alias=file.entry.reference,
            path=str(source),
            problem=f"cannot be read ({error.strerror})",
        ) from error
    try:
        yield handle
    finally:
        os.close(handle)


def _check_place(plan: ExportPlan) -> None:
    folder = plan.path.parent
    if not folder.is_dir():
        remedy = f"there is no folder {folder}; make it first"
        raise ConfigError(field="archive", value=str(plan.path), remedy=remedy)
    if plan.split_bytes is not None and plan.split_bytes < MIN_SPLIT_BYTES:
        remedy = f"parts must have at least {MIN_SPLIT_BYTES:,} bytes; 4GB fits every stick"
        raise ConfigError(field="split", value=str(plan.split_bytes), remedy=remedy)
    if plan.part_count > MAX_PARTS:
        remedy = f"that makes {plan.part_count:,} parts; at most {MAX_PARTS} are allowed"
        raise ConfigError(field="split", value=str(plan.split_bytes), remedy=remedy)


def _require_room(plan: ExportPlan, *, free_bytes: int) -> None:
    if free_bytes < plan.archive_bytes:
        problem = (
            f"{plan.archive_bytes / 1e6:,.0f} MB are needed and {free_bytes / 1e6:,.0f} MB are "
            "free; use another disk, or export fewer models"
        )
        raise ArchiveNotWritableError(path=str(plan.path), problem=problem)
    limit_bytes = file_limit_bytes(plan.path.parent)
    largest_bytes = min(plan.archive_bytes, plan.split_bytes or plan.archive_bytes)
    if limit_bytes is not None and largest_bytes > limit_bytes:
        problem = f"no file of 4 GiB fits this disk's file system; {_SPLIT_ADVICE}"
        raise ArchiveNotWritableError(path=str(plan.path), problem=problem)


def _old_files(path: Path) -> tuple[Path, ...]:
    split = existing_parts(part_path(path, 1))
    return (path, *split) if path.exists() else split


@contextmanager
def _translated_errors(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL | NOT_WRITABLE:
            raise
        problem = str(error.strerror)
        if error.errno == errno.EFBIG:
            problem = f"{problem}; {_SPLIT_ADVICE}"
        raise ArchiveNotWritableError(path=str(path), problem=problem) from error
