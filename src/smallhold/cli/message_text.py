"""What the user typed: this file holds the reading of messages."""

from __future__ import annotations

from typing import BinaryIO, Final

from smallhold.agents.agent import MAX_MESSAGE_CHARS

FROM_STDIN: Final = "-"
"""In place of a message: read it from stdin, whole. A command line's argument may not be long."""
_MAX_BYTES: Final = 4 * MAX_MESSAGE_CHARS + 4
"""A message that is too long is not read whole: four bytes of UTF-8 a character, and one more."""


def read_message(argument: str, *, stdin: BinaryIO) -> str:
    """Take the message from the command line, or from stdin in place of `-`.

    Bytes that are no UTF-8 become `U+FFFD`.
    """
    if argument != FROM_STDIN:
        # The system hands bytes that are no UTF-8 over as lone surrogates, which nothing can send.
        return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return stdin.read(_MAX_BYTES).decode("utf-8", "replace")
