"""Promises of `smallhold.evals.faults.cases.malformed_calls`:
this file holds tests of calls with wrong arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.evals.faults import Calls, Evidence, FaultCase, Form, Mark, judge
from smallhold.evals.faults.cases.malformed_calls import MALFORMED_CALLS
from smallhold.evals.faults.judging import effect
from smallhold.evals.faults.model import look

if TYPE_CHECKING:
    from tests.evals.faults.conftest import CarelessAgent

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("case", MALFORMED_CALLS, ids=lambda case: case.name)
async def test_a_careless_agent_is_caught(case: FaultCase, careless: CarelessAgent) -> None:
    assert not judge(case, await careless.play(case)).passed


async def test_a_day_that_was_guessed_is_a_wrong_side_effect() -> None:
    case = next(case for case in MALFORMED_CALLS if case.name == "date_in_wrong_form")
    guessed = effect("book_table", guests=4, day="2027-03-05")
    verdict = judge(case, Evidence(answers=("It is booked.",), effects=(guessed,)))
    assert set(verdict.problems) == {Mark.ENDS_RIGHT, Mark.NO_WRONG_EFFECT}


async def test_a_call_that_is_cut_off_under_grammar_names_the_whole_arguments() -> None:
    case = next(case for case in MALFORMED_CALLS if case.name == "arguments_cut_off")
    sight = look([], asked=["-"], tools=["get_weather"], turn=0, form=Form.OWN_DECODER)
    reply = case.model(sight)
    assert isinstance(reply, Calls)
    assert reply.is_cut
    assert "Paris" in reply.wishes[0].arguments
