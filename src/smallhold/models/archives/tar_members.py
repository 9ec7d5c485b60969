"""How files follow each other in an archive: this file holds headers and padding of tar.

Any tar program lists and unpacks our archives. We read only what we write, plain files one after
the other: no links, no sparse files, no extended headers, which can be as large as they please.
Source: POSIX.1-1988 ustar, with GNU tar's binary numbers for files over 8 GiB.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from typing import Final

BLOCK_BYTES: Final = tarfile.BLOCKSIZE
END: Final = bytes(2 * BLOCK_BYTES)
"""What stands behind the last member."""

_NAME_MAX_BYTES: Final = 99
_MODE: Final = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive."""

    name: str
    size_bytes: int

    @property
    def padding_bytes(self) -> int:
        """Zeros behind the file, up to the next block."""
        return -self.size_bytes % BLOCK_BYTES

    @property
    def whole_bytes(self) -> int:
        """What the member takes up, with its header and padding."""
        return BLOCK_BYTES + self.size_bytes + self.padding_bytes


def member_header(member: Member) -> bytes:
    """Write the block that stands before a file; the same for the same name and size.

    Raises:
        ValueError: The name does not fit into one block.
    """
    if not 0 < len(member.name.encode()) <= _NAME_MAX_BYTES:
        msg = "the name must have 1 to 99 bytes"
        raise ValueError(msg)
    info = tarfile.TarInfo(member.name)
    info.size, info.mode = member.size_bytes, _MODE
    return info.tobuf(format=tarfile.GNU_FORMAT)


def read_header(block: bytes) -> Member | None:
    """Read such a block; `None` when it is not sound, or speaks of anything but a plain file."""
    try:
        info = tarfile.TarInfo.frombuf(block, encoding="utf-8", errors="strict")
    except (tarfile.HeaderError, ValueError):
        return None
    if info.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or info.size < 0:
        return None
    return Member(name=info.name, size_bytes=info.size)
