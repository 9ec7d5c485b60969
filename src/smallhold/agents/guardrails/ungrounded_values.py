"""Values that nobody said: this file holds the guardrail for answers that make something up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from smallhold.agents.guardrails.checks import OutputCheck
from smallhold.agents.guardrails.evidence import Evidence
from smallhold.agents.guardrails.stated_values import ValueKind
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.messages import Role

_NAMED: Final = 3
"""Values that a reason names; more say no more."""
_EVERYTHING: Final = frozenset(ValueKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class UngroundedValues:
    """Flags or blocks answers with values that no tool result, message or knowledge holds.

    It compares values, not meaning: an answer that gives one order the date of another passes.
    """

    kinds: frozenset[ValueKind] = _EVERYTHING
    """What must be borne out."""
    action: Literal["flag", "block"] = "flag"
    message: str | None = None
    """What the user reads after a block."""
    name: str = "ungrounded_values"

    @property
    def only_flags(self) -> bool:
        """Whether answers may be streamed before they are checked."""
        return self.action == "flag"

    def check_output(self, check: OutputCheck) -> Verdict:
        """Look for each value of the answer in what the agent was told."""
        unfounded = [
            value
            for value in Evidence(told(check)).unfounded(check.text)
            if value.kind in self.kinds
        ]
        if not unfounded:
            return Verdict.ok()
        named = ", ".join(f"{value.kind.value} {value.text!r}" for value in unfounded[:_NAMED])
        reason = f"nothing bears out {len(unfounded)} stated values: {named}"
        if self.action == "flag":
            return Verdict.flag(reason)
        return Verdict.block(reason, message=self.message)


def told(check: OutputCheck) -> Iterator[str]:
    """Give what the agent was told by others. What it wrote itself proves nothing."""
    yield from check.knowledge
    for message in check.conversation:
        if message.role is not Role.ASSISTANT:
            yield message.content
    for step in check.steps:
        yield step.content
        if step.ran and not step.is_error:
            yield json.dumps(step.call.arguments, ensure_ascii=False)
