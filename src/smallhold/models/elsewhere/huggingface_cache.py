"""A cache of the Hugging Face hub's own library: this file holds its `HuggingFaceCache`.

Layout, as `huggingface_hub` makes it::

    models--OWNER--REPO/
      blobs/<etag>                       for large files the etag is the sha256
      refs/main                          which commit that name meant last
      snapshots/<commit>/path/in/repo    links to blobs, or the files themselves

Its downloads are checked for size only, so nothing here is believed before it is hashed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

from smallhold.models.catalog.source_specs import HuggingFaceSpec
from smallhold.models.elsewhere.foreign_file import ForeignFile, file_inside
from smallhold.models.store.layout import is_digest

LOOK_LIMIT: Final = 20_000
"""At most so many names are looked at, so that a monstrous cache costs seconds and not hours."""

_REPOSITORY: Final = re.compile(r"models--([A-Za-z0-9][A-Za-z0-9._-]*?)--([A-Za-z0-9._-]+)")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_REFERENCE_MAX_BYTES: Final = 64


class HuggingFaceCache:
    """One cache folder, which need not exist."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def with_digest(self, sha256: str) -> Iterator[ForeignFile]:
        """Files that the cache knows by this digest."""
        for folder in self._repositories() if is_digest(sha256) else ():
            name = f"huggingface:{_repository(folder)}"
            found = self._file(folder, folder / "blobs" / sha256, name=name)
            if found is not None:
                yield found

    def with_spec(self, spec: HuggingFaceSpec) -> Iterator[ForeignFile]:
        """The file of a repository in the revision that the specification names."""
        folder = self._root / f"models--{spec.repo.replace('/', '--')}"
        steps = PurePosixPath(spec.file)
        commit = _commit(folder, spec.revision)
        if commit is None or steps.is_absolute() or ".." in steps.parts:
            return
        path = folder / "snapshots" / commit / steps
        found = self._file(folder, path, name=spec.name, spec=replace(spec, revision=commit))
        if found is not None:
            yield found

    def every_file(self) -> Iterator[ForeignFile]:
        """Every GGUF file of the cache, each under one of its names."""
        seen: set[Path] = set()
        for folder in self._repositories():
            for path in sorted(islice(folder.glob("snapshots/*/**/*.gguf"), LOOK_LIMIT)):
                _, commit, *inner = path.relative_to(folder).parts
                repo = _repository(folder)
                spec = HuggingFaceSpec(repo=repo, file="/".join(inner), revision=commit)
                found = self._file(folder, path, name=spec.name, spec=spec)
                if found is not None and found.path not in seen:
                    seen.add(found.path)
                    yield found

    def _repositories(self) -> Iterator[Path]:
        # Without the right to read the folder, glob finds nothing in it.
        folders = islice(self._root.glob("models--*"), LOOK_LIMIT)
        return iter(sorted(path for path in folders if _REPOSITORY.fullmatch(path.name)))

    def _file(
        self, folder: Path, path: Path, *, name: str, spec: HuggingFaceSpec | None = None
    ) -> ForeignFile | None:
        # Links lead from a snapshot to a blob of the same repository; no other one is followed.
        real = file_inside(path, root=folder)
        if real is None or not real.is_relative_to(self._root.resolve()):
            return None
        return ForeignFile(
            name=name,
            path=real,
            size_bytes=real.stat().st_size,
            claimed_sha256=real.name if is_digest(real.name) else None,
            spec=spec,
        )


def _repository(folder: Path) -> str:
    match = _REPOSITORY.fullmatch(folder.name)
    return f"{match[1]}/{match[2]}" if match else folder.name


def _commit(folder: Path, revision: str) -> str | None:
    if _COMMIT.fullmatch(revision):
        return revision
    if not _REFERENCE.fullmatch(revision):
        return None
    path = file_inside(folder / "refs" / revision, root=folder)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            text = file.read(_REFERENCE_MAX_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if _COMMIT.fullmatch(text) else None
