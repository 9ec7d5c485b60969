"""Promises of `smallhold.evals.faults.ours`: this file holds our agent's own stand in all cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smallhold.evals.faults import (
    FAULT_CASES,
    FaultCase,
    Form,
    Mark,
    Reply,
    Sight,
    cases_named,
    judge,
    play_ours,
)

pytestmark = pytest.mark.anyio
ALL = [(case, form) for case in FAULT_CASES for form in Form if form in case.forms]
NEED_GUARDRAILS = {"tool_returns_injection", "lying_reply"}


@pytest.mark.parametrize(("case", "form"), ALL, ids=lambda it: getattr(it, "name", str(it)))
async def test_our_agent_ends_right_without_crash_loop_or_wrong_effect(
    case: FaultCase, form: Form
) -> None:
    verdict = judge(case, await play_ours(case, form=form))
    assert verdict.problems == {}


@pytest.mark.parametrize("name", sorted(NEED_GUARDRAILS))
async def test_two_cases_are_stood_by_guardrails_alone(name: str) -> None:
    (case,) = cases_named([name])
    assert not judge(case, await play_ours(case, form=Form.NATIVE, guardrails=())).passed


async def test_an_exception_of_the_run_is_told_and_not_raised() -> None:
    (case,) = cases_named(["prose_that_looks_like_a_call"])

    def break_down(_: Sight) -> Reply:
        raise ZeroDivisionError

    broken = replace(case, model=break_down)
    evidence = await play_ours(broken, form=Form.NATIVE)
    assert "ZeroDivisionError" in str(evidence.error)
    assert Mark.NO_CRASH in judge(broken, evidence).problems


async def test_a_run_beyond_the_case_s_time_is_ended() -> None:
    (case,) = cases_named(["tool_hangs"])
    limits = replace(case.limits, time_s=0.2, tool_timeout_s=30.0)
    evidence = await play_ours(replace(case, limits=limits), form=Form.NATIVE)
    assert not evidence.has_ended
