from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.agents.guardrails import EmptyAnswer, Outcome

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk


@pytest.mark.parametrize("text", ["", " \n", "...", "\u200b\u2060", "- * -", "\ufe0f"])
def test_an_answer_that_shows_nothing_to_read_is_blocked(desk: Desk, text: str) -> None:
    assert EmptyAnswer().check_output(desk.answer(text)).outcome is Outcome.BLOCK


@pytest.mark.parametrize("text", ["Yes.", "7", "好"])
def test_one_letter_or_digit_is_an_answer(desk: Desk, text: str) -> None:
    assert EmptyAnswer().check_output(desk.answer(text)).outcome is Outcome.PASS
