"""The cases, by what goes wrong: this package holds one module for each kind of fault."""

from smallhold.evals.faults.cases.calls_as_text import CALLS_AS_TEXT
from smallhold.evals.faults.cases.loops import LOOPS
from smallhold.evals.faults.cases.malformed_calls import MALFORMED_CALLS
from smallhold.evals.faults.cases.misdirected_calls import MISDIRECTED_CALLS
from smallhold.evals.faults.cases.replies import REPLIES
from smallhold.evals.faults.cases.tool_trouble import TOOL_TROUBLE

__all__ = [
    "CALLS_AS_TEXT",
    "LOOPS",
    "MALFORMED_CALLS",
    "MISDIRECTED_CALLS",
    "REPLIES",
    "TOOL_TROUBLE",
]
