"""Messages that try to take the agent over: this file holds the guardrail for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smallhold.agents.guardrails.checks import InputCheck
from smallhold.agents.guardrails.injection_search import ASKED_FOR, Finding, find_injections
from smallhold.agents.guardrails.phrases import Family
from smallhold.agents.guardrails.verdict import Verdict

REFUSAL = "I cannot follow that. Tell me what you need, and I will help where I can."


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionPhrases:
    """Blocks or flags messages with a phrase that is known to take agents over.

    It finds what people copy from each other. It does not understand: a new wording gets through,
    so what the agent must never do belongs into a `ToolPolicy`.
    """

    families: frozenset[Family] = ASKED_FOR
    action: Literal["block", "flag"] = "block"
    name: str = "injection_phrases"

    def check_input(self, check: InputCheck) -> Verdict:
        """Look for the phrases, under the common disguises too."""
        found = find_injections(check.text, self.families)
        if not found:
            return Verdict.ok()
        reason = f"the message holds phrases of injection: {described(found)}"
        if self.action == "flag":
            return Verdict.flag(reason)
        return Verdict.block(reason, message=REFUSAL)


def described(found: tuple[Finding, ...]) -> str:
    """Name findings for a developer, without the text they were found in."""
    return ", ".join(
        f"{finding.family.value} ({finding.language})" if finding.language else finding.family.value
        for finding in found
    )
