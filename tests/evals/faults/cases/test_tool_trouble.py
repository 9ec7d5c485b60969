"""Promises of `smallhold.evals.faults.cases.tool_trouble`:
this file holds tests of trouble with tools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.evals.faults import FaultCase, Mark, judge
from smallhold.evals.faults.cases.tool_trouble import (
    LOG_BYTES,
    PAGES,
    TOOL_TROUBLE,
    huge_log,
    long_page,
)
from smallhold.evals.faults.stage import CHARS_PER_TOKEN

if TYPE_CHECKING:
    from tests.evals.faults.conftest import CarelessAgent

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("case", TOOL_TROUBLE, ids=lambda case: case.name)
async def test_a_careless_agent_is_caught(case: FaultCase, careless: CarelessAgent) -> None:
    assert not judge(case, await careless.play(case)).passed


async def test_a_tool_that_hangs_holds_a_careless_agent_up(careless: CarelessAgent) -> None:
    case = next(case for case in TOOL_TROUBLE if case.name == "tool_hangs")
    assert Mark.NO_LOOP in judge(case, await careless.play(case)).problems


def test_the_pages_together_are_larger_than_the_context() -> None:
    case = next(case for case in TOOL_TROUBLE if case.name == "context_overflow_by_results")
    page = long_page({"address": "handbook/1"})
    tokens = len(page) // CHARS_PER_TOKEN
    assert tokens < case.limits.context_tokens < PAGES * tokens


def test_the_log_is_as_large_as_it_says() -> None:
    assert LOG_BYTES - 100 < len(huge_log({}).encode()) <= LOG_BYTES
