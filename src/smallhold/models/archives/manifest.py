"""What is in an archive: this file holds its manifest.

It is the archive's first member: JSON with the models as a catalog file has them, and the files in
the order in which they follow. All that is said there is checked here, before a file is read.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from smallhold.exceptions import CatalogError, InvalidArchiveError
from smallhold.models.archives.tar_members import END, Member
from smallhold.models.catalog.catalog import Catalog, CatalogEntry, CatalogModel
from smallhold.models.catalog.catalog_file import CATALOG_MAX_BYTES, parse_catalog
from smallhold.models.catalog.writing import model_document
from smallhold.models.store.layout import blob_name

MANIFEST_NAME: Final = "smallhold-models.json"
MANIFEST_MAX_BYTES: Final = CATALOG_MAX_BYTES
"""A larger manifest is not read."""

_MAX_FILES: Final = 1000
_MAX_FILE_BYTES: Final = 1 << 42
_CONFIG: Final = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class _FileRecord(BaseModel):
    model_config = _CONFIG

    reference: Annotated[str, StringConstraints(max_length=100)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(gt=0, le=_MAX_FILE_BYTES)]


class _ManifestRecord(BaseModel):
    model_config = _CONFIG

    format: Literal["smallhold-models"]
    version: Literal[1]
    catalog: dict[str, Any]
    files: Annotated[list[_FileRecord], Field(min_length=1, max_length=_MAX_FILES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """One model's file in an archive."""

    model: CatalogModel
    """As the exporting machine's catalog had it."""
    entry: CatalogEntry
    sha256: str
    """What its bytes are, also where no catalog knew that beforehand."""
    size_bytes: int

    @property
    def member(self) -> Member:
        """The file as a part of the archive."""
        return Member(name=f"blobs/{blob_name(self.sha256)}", size_bytes=self.size_bytes)

    @property
    def known_entry(self) -> CatalogEntry:
        """The entry together with what its bytes are."""
        return replace(self.entry, sha256=self.sha256, size_bytes=self.size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All files of an archive, in their order. Two models may be the same file, which is once."""

    files: tuple[ArchivedFile, ...]

    @property
    def members(self) -> Sequence[Member]:
        """The files as parts of the archive, each once."""
        return tuple(dict.fromkeys(file.member for file in self.files))

    def to_bytes(self) -> bytes:
        """The manifest as it stands in the archive.

        Raises:
            ValueError: A model has a source that no file can name.
        """
        models = {file.model.alias: model_document(file.model) for file in self.files}
        document = {
            "format": "smallhold-models",
            "version": 1,
            "catalog": {"version": 2, "models": models},
            "files": [
                {
                    "reference": file.entry.reference,
                    "sha256": file.sha256,
                    "size_bytes": file.size_bytes,
                }
                for file in self.files
            ],
        }
        return json.dumps(document, indent=1).encode()

    def archive_bytes(self, *, manifest_bytes: int) -> int:
        """The exact size of the archive, whose manifest has so many bytes."""
        members = (Member(name=MANIFEST_NAME, size_bytes=manifest_bytes), *self.members)
        return sum(member.whole_bytes for member in members) + len(END)


def read_manifest(data: bytes, *, path: str) -> Manifest:
    """Read a manifest; `path` names the archive for errors.

    Raises:
        InvalidArchiveError: It is none, or does not agree with itself.
    """
    try:
        record = _ManifestRecord.model_validate_json(data)
        catalog = parse_catalog(json.dumps(record.catalog).encode(), file=MANIFEST_NAME)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "all of it"
        raise _unsound(problem=f"{where}: {first['msg']}", path=path) from error
    except (CatalogError, RecursionError) as error:
        raise _unsound(problem=str(error), path=path) from error
    references = [file.reference for file in record.files]
    if len(set(references)) != len(references):
        raise _unsound(problem="it has a file twice", path=path)
    files = tuple(_file(file, catalog=catalog, path=path) for file in record.files)
    sizes = dict[str, int]()
    if any(sizes.setdefault(file.sha256, file.size_bytes) != file.size_bytes for file in files):
        raise _unsound(problem="it gives one file two sizes", path=path)
    return Manifest(files=files)


def _file(record: _FileRecord, *, catalog: Catalog, path: str) -> ArchivedFile:
    for entry in catalog.entries:
        if entry.reference == record.reference:
            break
    else:
        raise _unsound(problem=f"it does not say what {record.reference!r} is", path=path)
    if entry.sha256 not in {None, record.sha256}:
        raise _unsound(problem=f"it gives {record.reference} two digests", path=path)
    if entry.size_bytes not in {None, record.size_bytes}:
        raise _unsound(problem=f"it gives {record.reference} two sizes", path=path)
    return ArchivedFile(
        model=catalog.models[entry.alias],
        entry=entry,
        sha256=record.sha256,
        size_bytes=record.size_bytes,
    )


def _unsound(*, problem: str, path: str) -> InvalidArchiveError:
    return InvalidArchiveError(path=path, problem=f"its manifest is not sound ({problem})")
