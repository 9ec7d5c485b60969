"""What the store notes down about a model: this file holds the `StoreRecord`.

It is an edge: the file may have been cut short or edited, so pydantic checks it on the way in.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

_MAX_BYTES: Final = 16 << 10


class StoreRecord(BaseModel):
    """Which alias is which blob, and where it came from."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, defer_build=True)

    version: Literal[1] = 1
    alias: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    quantization: str
    source: str
    is_verified: bool

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a record; `None` when there is none, or none that makes sense."""
        try:
            with path.open("rb") as file:
                return cls.model_validate_json(file.read(_MAX_BYTES))
        except (OSError, ValidationError):
            return None

    def to_bytes(self) -> bytes:
        """The record as it is stored."""
        return self.model_dump_json(indent=2).encode()
