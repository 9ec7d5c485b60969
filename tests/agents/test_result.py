from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace

import pytest

from smallhold.agents import Ending, Result, Step
from smallhold.messages import Timing, ToolCall, Usage

STEP = Step(
    call=ToolCall(id="1", name="stock", arguments={"product": "lamp"}),
    content="3",
    is_error=False,
    ran=True,
    margin=None,
)
RESULT = Result(
    text="Three.", ending=Ending.ANSWERED, steps=(STEP,), usage=Usage(), timing=Timing()
)


def test_a_result_cannot_be_changed_afterwards() -> None:
    with pytest.raises(FrozenInstanceError):
        RESULT.text = "Four."  # pyright: ignore[reportAttributeAccessIssue] - what the test is about
    with pytest.raises(FrozenInstanceError):
        STEP.ran = False  # pyright: ignore[reportAttributeAccessIssue] - what the test is about


def test_a_result_stands_for_the_configured_model_unless_it_says_otherwise() -> None:
    assert not RESULT.degraded
    assert not RESULT.escalated
    assert replace(RESULT, escalated=True).escalated


def test_endings_are_written_as_plain_words() -> None:
    assert json.dumps(list(Ending)) == json.dumps([
        "answered", "asked", "cannot", "answer_cut", "repeating", "repeated_call", "no_progress",
        "invalid_calls", "no_answer", "step_limit", "blocked", "awaiting_approval",
    ])  # fmt: skip
