"""Promises of `smallhold.evals.faults.cases.loops`: this file holds tests of loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.evals.faults import FaultCase, Form, Mark, judge
from smallhold.evals.faults.cases.loops import LOOPS, searches_on
from smallhold.evals.faults.model import look

if TYPE_CHECKING:
    from tests.evals.faults.conftest import CarelessAgent

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("case", LOOPS, ids=lambda case: case.name)
async def test_a_careless_agent_is_caught(case: FaultCase, careless: CarelessAgent) -> None:
    assert Mark.NO_LOOP in judge(case, await careless.play(case)).problems


def test_a_search_that_goes_on_never_says_the_same_twice() -> None:
    sights = [
        look([], asked=["-"], tools=["search"], turn=turn, form=Form.NATIVE) for turn in range(40)
    ]
    assert len({searches_on(sight) for sight in sights}) == 40
