from __future__ import annotations

from dataclasses import dataclass

import pytest

from smallhold.agents.guardrails import (
    InputCheck,
    InputGuardrail,
    OutputCheck,
    OutputGuardrail,
    ResultGuardrail,
    ToolGuardrail,
    Verdict,
)


@dataclass
class Both:
    """A guardrail of two stages that inherits from nothing."""

    name: str = "both"

    def check_input(self, check: InputCheck) -> Verdict:
        return Verdict.flag(check.text)

    async def check_output(self, check: OutputCheck) -> Verdict:
        return Verdict.flag(check.text)


@pytest.mark.parametrize(
    ("protocol", "is_one"),
    [
        (InputGuardrail, True),
        (OutputGuardrail, True),
        (ToolGuardrail, False),
        (ResultGuardrail, False),
    ],
)
def test_an_object_is_a_guardrail_of_each_stage_that_it_has_a_method_for(
    protocol: type, *, is_one: bool
) -> None:
    assert isinstance(Both(), protocol) is is_one
