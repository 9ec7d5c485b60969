"""Tests of the agent's instructions."""

from __future__ import annotations

from customer_service.instructions import INSTRUCTIONS


def test_the_instructions_cost_a_small_model_less_than_120_words() -> None:
    assert len(INSTRUCTIONS.split()) < 120


def test_the_instructions_answer_the_opening_hours() -> None:
    assert "9:00 to 19:00" in INSTRUCTIONS
