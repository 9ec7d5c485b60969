from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails import InputCheck, MessageLength, Outcome
from smallhold.exceptions import ConfigError


@given(length=st.integers(0, 50), limit=st.integers(1, 50))
def test_only_what_is_longer_than_the_limit_is_blocked(length: int, limit: int) -> None:
    verdict = MessageLength(max_chars=limit).check_input(InputCheck(text="x" * length))
    assert (verdict.outcome is Outcome.BLOCK) == (length > limit)


def test_the_user_learns_how_long_a_message_may_be() -> None:
    verdict = MessageLength(max_chars=10).check_input(InputCheck(text="x" * 1234))
    assert verdict.message is not None
    assert "1,234" in verdict.message
    assert "up to 10" in verdict.message


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_chars"):
        MessageLength(max_chars=0)
