"""What an agent can do besides calling its tools: this file holds the names of the special calls.

They are written and scored like tools, so that one forward pass compares them with the real ones.
"""

from __future__ import annotations

from typing import Final

ANSWER_NAME: Final = "answer_directly"
"""Small talk, or a question that no tool is needed for."""
ASK_NAME: Final = "ask_user"
"""A tool fits, and something that only the user can know is missing."""
CANNOT_NAME: Final = "cannot_do"
"""None of the tools does what is asked."""
DONE_NAME: Final = "done"
"""No further call: everything that was asked for is under way or done."""

INSTEAD_OF_A_CALL: Final = (ASK_NAME, CANNOT_NAME, ANSWER_NAME)
"""Scored beside the tools in this order."""
RESERVED_NAMES: Final = frozenset({*INSTEAD_OF_A_CALL, DONE_NAME})
"""Names that no tool may have."""
