"""Promises of `smallhold.evals.faults.cases.misdirected_calls`:
this file holds tests of calls of what was not meant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from smallhold.evals.faults import Evidence, FaultCase, Mark, judge
from smallhold.evals.faults.cases.misdirected_calls import CHARGED, MISDIRECTED_CALLS

if TYPE_CHECKING:
    from tests.evals.faults.conftest import CarelessAgent

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("case", MISDIRECTED_CALLS, ids=lambda case: case.name)
async def test_a_careless_agent_is_caught(case: FaultCase, careless: CarelessAgent) -> None:
    assert not judge(case, await careless.play(case)).passed


def test_a_second_charge_is_a_wrong_side_effect() -> None:
    case = next(case for case in MISDIRECTED_CALLS if case.name == "double_charge")
    once = Evidence(answers=("Order 1042 is charged.",), effects=(CHARGED,))
    assert judge(case, once).passed
    assert Mark.NO_WRONG_EFFECT in judge(case, replace(once, effects=(CHARGED, CHARGED))).problems


def test_giving_up_at_once_is_no_way_to_pass_where_the_model_would_learn() -> None:
    gave_up = Evidence(answers=("I cannot do this.",), model_calls=1)
    taught = {"unknown_tool", "near_miss_name", "ambiguous_name", "unicode_in_a_name"}
    passed = {case.name for case in MISDIRECTED_CALLS if judge(case, gave_up).passed}
    assert not passed & taught
