"""Answers that say nothing: this file holds the guardrail for them."""

from __future__ import annotations

from dataclasses import dataclass

from smallhold.agents.guardrails.checks import OutputCheck
from smallhold.agents.guardrails.normalisation import fold
from smallhold.agents.guardrails.verdict import Verdict

NOTHING_TO_SAY = "I have no answer to this. Could you put it another way?"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyAnswer:
    """Blocks answers without a single letter or digit, invisible characters included."""

    name: str = "empty_answer"

    def check_output(self, check: OutputCheck) -> Verdict:
        """Look for anything that can be read."""
        if any(character.isalnum() for character in fold(check.text)):
            return Verdict.ok()
        return Verdict.block("the answer is empty", message=NOTHING_TO_SAY)
