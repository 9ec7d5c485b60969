"""The process that parses foreign files: this file holds its program.

It reads documents from its input, writes what it makes of them to its output, and opens nothing
but its own libraries. Beyond its limits the kernel ends it, and with it nothing else.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Final

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge.document import Document
from smallhold.state.knowledge.formats import DocumentFormat
from smallhold.state.knowledge.parsers.frames import (
    HEADER_MAX_BYTES,
    LENGTHS,
    REPLY_LENGTH,
    Refusal,
    read_header,
    reply_bytes,
    reply_max_bytes,
)
from smallhold.state.knowledge.parsers.limits import ParsingLimits
from smallhold.state.knowledge.parsers.parsing import parse

MEMORY_EXIT_STATUS: Final = 12
"""How the process ends when it gets no more memory: the number of ENOMEM."""
MODULE_EXIT_STATUS: Final = 13
"""How it ends when a format's library is not installed; its name is in the reply before."""
_OPEN_FILES: Final = 64


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Parse one document after another until the input ends."""
    while reply := reply_to(requests, prepare=limit_process):
        replies.write(reply)
        replies.flush()


def reply_to(requests: BinaryIO, *, prepare: Callable[[ParsingLimits], None]) -> bytes | None:
    """Read a request and parse its document.

    Args:
        requests: Where it comes from.
        prepare: Called before the document is read.

    Returns:
        The reply with its length; `None` where there is no request.
    """
    lengths = requests.read(LENGTHS.size)
    if not lengths:
        return None
    header_bytes, data_bytes = LENGTHS.unpack(lengths)
    file_format, source, limits = read_header(requests.read(min(header_bytes, HEADER_MAX_BYTES)))
    prepare(limits)
    data = requests.read(data_bytes)
    reply = reply_bytes(_outcome(data, file_format, source=source, limits=limits))
    if len(reply) - REPLY_LENGTH.size > reply_max_bytes(limits):
        return reply_bytes(_too_long(limits))
    return reply


def limit_process(limits: ParsingLimits) -> None:
    """Bound what this process may take from now on; processor time anew for each document."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = int(used.ru_utime + used.ru_stime + limits.cpu_s) + 1
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        _, hard = resource.getrlimit(kind)
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # Not every system knows every limit; the parent's clock bounds all of them.
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (lowest, hard))


def _outcome(
    data: bytes, file_format: DocumentFormat, *, source: str, limits: ParsingLimits
) -> Document | Refusal:
    try:
        return parse(data, file_format=file_format, source=source, limits=limits)
    except DocumentTooLargeError as error:
        return Refusal(
            problem=error.problem,
            remedy=error.remedy,
            field=error.field,
            actual=error.actual,
            limit=error.limit,
        )
    except DocumentError as error:
        return Refusal(problem=error.problem, remedy=error.remedy)


def _too_long(limits: ParsingLimits) -> Refusal:
    return Refusal(
        problem="its text is in too many pieces",
        remedy="Split it.",
        field="text_max_chars",
        actual="it has too many pieces of text",
        limit=f"{limits.text_max_chars:,} characters",
    )


def main() -> None:
    """Run the program."""
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except MemoryError:
        sys.exit(MEMORY_EXIT_STATUS)
    except ModuleNotFoundError:
        sys.exit(MODULE_EXIT_STATUS)


if __name__ == "__main__":
    main()
