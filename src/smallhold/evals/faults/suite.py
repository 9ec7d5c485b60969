"""All cases in order: this file holds the suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from smallhold.evals.faults.case import FaultCase
from smallhold.evals.faults.cases import (
    CALLS_AS_TEXT,
    LOOPS,
    MALFORMED_CALLS,
    MISDIRECTED_CALLS,
    REPLIES,
    TOOL_TROUBLE,
)
from smallhold.exceptions import ConfigError

FAULT_CASES: Final[tuple[FaultCase, ...]] = (
    *MALFORMED_CALLS,
    *CALLS_AS_TEXT,
    *MISDIRECTED_CALLS,
    *TOOL_TROUBLE,
    *REPLIES,
    *LOOPS,
)


def cases_named(names: Sequence[str]) -> tuple[FaultCase, ...]:
    """Pick cases; all of them for no name.

    Raises:
        ConfigError: there is no case of this name.
    """
    known = {case.name: case for case in FAULT_CASES}
    for name in names:
        if name not in known:
            raise ConfigError(field="case", value=name, remedy=f"choose of {', '.join(known)}")
    return tuple(known[name] for name in names) or FAULT_CASES
