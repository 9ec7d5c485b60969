from __future__ import annotations

from typing import TYPE_CHECKING

from smallhold.agents.guardrails import (
    InputCheck,
    Outcome,
    OutputCheck,
    ResultCheck,
    ToolCheck,
    Verdict,
    on_call,
    on_input,
    on_output,
    on_result,
    run_input,
    run_output,
    run_tool_policy,
    run_tool_result,
)

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk


async def test_a_function_looks_where_its_decorator_says(desk: Desk) -> None:
    @on_input
    def message(check: InputCheck) -> Verdict:
        return Verdict.replace(check.text.upper(), reason="loud")

    @on_call
    def call(check: ToolCheck) -> Verdict:
        return Verdict.block(check.call.name)

    @on_result
    def result(check: ResultCheck) -> Verdict:
        return Verdict.replace(f"<{check.content}>", reason="marked")

    @on_output
    async def answer(check: OutputCheck) -> Verdict:
        return Verdict.replace(f"{check.text}!", reason="lively")

    guardrails = (message, call, result, answer)
    assert (await run_input(guardrails, InputCheck(text="hi"))).text == "HI"
    assert (await run_tool_policy(guardrails, desk.call("pay"))).outcome is Outcome.BLOCK
    assert (await run_tool_result(guardrails, desk.result("data"))).text == "<data>"
    assert (await run_output(guardrails, desk.answer("Bye"))).text == "Bye!"


def test_a_guardrail_of_a_function_has_its_name() -> None:
    def politeness(check: InputCheck) -> Verdict:
        return Verdict.flag(check.text)

    assert on_input(politeness).name == "politeness"
