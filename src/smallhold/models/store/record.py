"""What the store notes down about a model: this file holds the `StoreRecord`.

It is an edge: the file may have been cut short or edited, so pydantic checks it on the way in.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from smallhold.models.catalog.catalog import reference
from smallhold.models.store.file_stamp import FileStamp

_MAX_BYTES: Final = 16 << 10
_PATH_MAX_CHARS: Final = 4096
"""Source: PATH_MAX of Linux."""

_MODEL_CONFIG: Final = ConfigDict(extra="ignore", frozen=True, strict=True, defer_build=True)


class PlaceRecord(BaseModel):
    """A file outside the store, as it was when it was hashed."""

    model_config = _MODEL_CONFIG

    path: Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=_PATH_MAX_CHARS)]
    size_bytes: Annotated[int, Field(ge=0)]
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path, stamp: FileStamp) -> Self:
        """Note a file down."""
        return cls(
            path=str(path),
            size_bytes=stamp.size_bytes,
            mtime_ns=stamp.mtime_ns,
            inode=stamp.inode,
        )

    @property
    def stamp(self) -> FileStamp:
        """What the system said of the file when it was hashed."""
        return FileStamp(size_bytes=self.size_bytes, mtime_ns=self.mtime_ns, inode=self.inode)

    @property
    def difference(self) -> str | None:
        """What has become of the file since, or `None` when it is the same."""
        return self.stamp.difference(Path(self.path))


class StoreRecord(BaseModel):
    """Which file of which model is which blob, and where it came from."""

    model_config = _MODEL_CONFIG

    version: Literal[1] = 1
    alias: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    quantization: str
    source: str
    is_verified: bool
    place: PlaceRecord | None = None
    """Where the file lies, when it is not a blob of the store."""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a record; `None` when there is none, or none that makes sense."""
        try:
            with path.open("rb") as file:
                return cls.model_validate_json(file.read(_MAX_BYTES))
        except (OSError, ValidationError):
            return None

    @property
    def reference(self) -> str:
        """The one name of the model's file, such as `smollm2-135m:q4_k_m`."""
        return reference(self.alias, self.quantization)

    def to_bytes(self) -> bytes:
        """The record as it is stored."""
        return self.model_dump_json(indent=2).encode()
