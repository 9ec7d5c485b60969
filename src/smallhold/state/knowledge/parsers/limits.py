"""How much a document may cost: this file holds the limits of parsing."""

from __future__ import annotations

from dataclasses import dataclass, fields

from smallhold.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsingLimits:
    """What one document may take, as a file, as text and while it is read.

    Raises:
        ConfigError: A limit is not above 0.
    """

    file_max_bytes: int = 64 << 20
    """A file is refused unread beyond this, and so is a web page."""
    unpacked_max_bytes: int = 256 << 20
    """What a DOCX file may unpack to. Source: 64 MiB at the ratio of 4 that XML is packed with."""
    text_max_chars: int = 16_000_000
    """Text of the whole document: about the Encyclopaedia Britannica's first three volumes."""
    memory_bytes: int = 1 << 30
    """Address space of the process that parses; its libraries take a fifth of it."""
    cpu_s: float = 120.0
    """Processor time for one document; pypdf reads 10 to 50 pages in a second."""
    wall_s: float = 600.0
    """Time for one document by the clock, also where the machine is busy with other work."""

    def __post_init__(self) -> None:
        """Check that there is something left in every direction."""
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not value > 0:
                raise ConfigError(field=limit.name, value=value, remedy="give more than 0")
