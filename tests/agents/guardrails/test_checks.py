from __future__ import annotations

from smallhold.agents import Step
from smallhold.agents.guardrails import OutputCheck, RunStep
from smallhold.messages import ToolCall


def test_a_step_of_an_agents_result_is_what_checks_hold() -> None:
    step = Step(
        call=ToolCall(id="1", name="look", arguments={}),
        content="seen",
        is_error=False,
        ran=True,
        margin=None,
    )
    shown: RunStep = step
    assert OutputCheck(text="", steps=[shown]).steps[0].content == "seen"
