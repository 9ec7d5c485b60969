"""Promises of `smallhold.evals.faults.cases.calls_as_text`:
this file holds tests of calls that came as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.evals.faults import Evidence, FaultCase, Mark, judge
from smallhold.evals.faults.cases.calls_as_text import CALLS_AS_TEXT

if TYPE_CHECKING:
    from tests.evals.faults.conftest import CarelessAgent, ManglingAgent

pytestmark = pytest.mark.anyio


GOOD_PROSE = "prose_that_looks_like_a_call"
SPOILED = [case for case in CALLS_AS_TEXT if case.name != GOOD_PROSE]


@pytest.mark.parametrize("case", SPOILED, ids=lambda case: case.name)
async def test_a_careless_agent_is_caught(case: FaultCase, careless: CarelessAgent) -> None:
    assert not judge(case, await careless.play(case)).passed


async def test_an_agent_that_takes_braces_out_of_prose_is_caught(
    careless: CarelessAgent, mangling: ManglingAgent
) -> None:
    case = next(case for case in CALLS_AS_TEXT if case.name == GOOD_PROSE)
    assert judge(case, await careless.play(case)).passed
    assert not judge(case, await mangling.play(case)).passed


def test_half_a_call_in_what_was_shown_is_caught() -> None:
    case = next(case for case in CALLS_AS_TEXT if case.name == "half_call_in_stream")
    shown = Evidence(answers=("One moment.\n<tool_It will be 18 degrees.",))
    assert "shown a call" in judge(case, shown).problems[Mark.ENDS_RIGHT]
