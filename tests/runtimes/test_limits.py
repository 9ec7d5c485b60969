from __future__ import annotations

import dataclasses

import pytest

from smallhold.models.calibration import packaged_calibration
from smallhold.runtimes import DIALECTS, Capability, RuntimeLimits

LIMITS = RuntimeLimits(
    context_tokens=4096,
    capabilities=frozenset({Capability.SCORING}),
    dialect=DIALECTS["hermes"],
)


def test_a_capability_is_known_by_its_plain_name() -> None:
    assert "scoring" in LIMITS.capabilities
    assert "native_tool_calls" not in LIMITS.capabilities


def test_limits_can_be_remembered_by_what_they_are() -> None:
    assert hash(LIMITS) == hash(dataclasses.replace(LIMITS))


def test_nothing_was_fitted_for_a_model_unless_its_runtime_says_so() -> None:
    assert LIMITS.calibration is None
    calibration = packaged_calibration("qwen2.5-coder-0.5b")
    fitted = dataclasses.replace(LIMITS, calibration=calibration)
    assert fitted.calibration is calibration
    assert fitted != LIMITS


def test_limits_do_not_change_under_the_hands_of_those_who_planned_with_them() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        LIMITS.context_tokens = 1  # pyright: ignore[reportAttributeAccessIssue] - the point
