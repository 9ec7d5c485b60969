"""Promises of `smallhold.evals.faults.cases.replies`: this file holds tests of bad replies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from smallhold.evals.faults import Evidence, FaultCase, judge
from smallhold.evals.faults.cases.replies import CANCELLING, LIE, REPLIES

if TYPE_CHECKING:
    from tests.evals.faults.conftest import CarelessAgent, ManglingAgent

pytestmark = pytest.mark.anyio


FOREIGN = "reply_in_another_language"
SPOILED = [case for case in REPLIES if case.name != FOREIGN]


@pytest.mark.parametrize("case", SPOILED, ids=lambda case: case.name)
async def test_a_careless_agent_is_caught(case: FaultCase, careless: CarelessAgent) -> None:
    assert not judge(case, await careless.play(case)).passed


async def test_an_agent_that_knows_ascii_alone_is_caught(
    careless: CarelessAgent, mangling: ManglingAgent
) -> None:
    case = next(case for case in REPLIES if case.name == FOREIGN)
    assert judge(case, await careless.play(case)).passed
    assert not judge(case, await mangling.play(case)).passed


def test_a_lie_is_right_once_it_has_been_made_true_or_doubted() -> None:
    case = next(case for case in REPLIES if case.name == "lying_reply")
    lie = Evidence(answers=(LIE.text,))
    assert not judge(case, lie).passed
    assert judge(case, replace(lie, effects=(CANCELLING,))).passed
    assert judge(case, replace(lie, flags=("claims what no tool has done",))).passed
