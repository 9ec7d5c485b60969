"""Promises of `smallhold.evals.faults.runner`: this file holds tests of the way through cases."""

from __future__ import annotations

import pytest

from smallhold.evals.faults import (
    Evidence,
    FaultCase,
    Form,
    Verdict,
    cases_named,
    run_cases,
    run_faults,
)

pytestmark = pytest.mark.anyio
CASES = cases_named(["unknown_tool", "blank_reply"])


async def test_our_agent_meets_each_case_in_each_form_in_which_it_can_arise() -> None:
    heard: list[tuple[Form, Verdict]] = []
    verdicts = await run_faults(CASES, on_verdict=lambda form, it: heard.append((form, it)))
    assert [it.case for it in verdicts[Form.NATIVE]] == ["unknown_tool", "blank_reply"]
    assert [it.case for it in verdicts[Form.OWN_DECODER]] == ["blank_reply"]
    assert [(form, it.case) for form, it in heard] == [
        (form, it.case) for form, found in verdicts.items() for it in found
    ]


async def test_any_other_framework_can_be_put_through_them() -> None:
    async def play(case: FaultCase) -> Evidence:
        return Evidence(answers=(f"I cannot do {case.name}.",))

    verdicts = await run_cases(CASES, play=play)
    assert [(it.case, it.passed) for it in verdicts] == [
        ("unknown_tool", False),
        ("blank_reply", True),
    ]
