"""Promises of `smallhold.tools.mcp.hints`: this file holds tests of what follows from hints."""

from __future__ import annotations

import pytest

from smallhold.tools.mcp.hints import Approval, ToolHints, is_riskier, needs_approval

UNSAID = ToolHints()
READS = ToolHints(read_only=True)
DESTROYS = ToolHints(destructive=True)
CONFUSED = ToolHints(read_only=True, destructive=True)


@pytest.mark.parametrize(
    ("approval", "asking"),
    [
        (Approval.NEVER, []),
        (Approval.DESTRUCTIVE, [DESTROYS]),
        (Approval.UNLESS_READ_ONLY, [UNSAID, DESTROYS]),
        (Approval.ALWAYS, [UNSAID, READS, DESTROYS, CONFUSED]),
    ],
)
def test_a_person_is_asked_as_the_policy_has_it(
    approval: Approval, asking: list[ToolHints]
) -> None:
    every = [UNSAID, READS, DESTROYS, CONFUSED]
    assert [hints for hints in every if needs_approval(hints, approval=approval)] == asking


def test_only_what_is_harmless_twice_may_be_repeated() -> None:
    assert READS.may_repeat
    assert ToolHints(idempotent=True).may_repeat
    assert not UNSAID.may_repeat
    assert not DESTROYS.may_repeat


def test_a_tool_that_claims_less_safety_than_before_is_riskier() -> None:
    assert is_riskier(UNSAID, than=READS)
    assert is_riskier(DESTROYS, than=UNSAID)
    assert is_riskier(UNSAID, than=ToolHints(idempotent=True))
    assert not is_riskier(READS, than=UNSAID)
    assert not is_riskier(UNSAID, than=DESTROYS)
    assert not is_riskier(DESTROYS, than=DESTROYS)
