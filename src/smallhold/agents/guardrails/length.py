"""Messages of a sensible length: this file holds the guardrail for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from smallhold.agents.guardrails.checks import InputCheck
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.exceptions import ConfigError

DEFAULT_MAX_CHARS: Final = 4_000
"""About 1,000 tokens: a quarter of the smallest context window in common use (4,096 tokens)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLength:
    """Blocks messages that are longer than customers write.

    An agent refuses more than 100,000 characters by itself; this is for a limit of your own.

    Raises:
        ConfigError: the limit is below 1.
    """

    max_chars: int = DEFAULT_MAX_CHARS
    name: str = "message_length"

    def __post_init__(self) -> None:
        """Check the limit."""
        if self.max_chars < 1:
            raise ConfigError(field="max_chars", value=self.max_chars, remedy="give at least 1")

    def check_input(self, check: InputCheck) -> Verdict:
        """Compare the message's length with the limit."""
        length_chars = len(check.text)
        if length_chars <= self.max_chars:
            return Verdict.ok()
        return Verdict.block(
            f"the message has {length_chars:,} characters, allowed are {self.max_chars:,}",
            message=(
                f"Your message is too long for me: it has {length_chars:,} characters, and I read "
                f"up to {self.max_chars:,}. Please send the essential part."
            ),
        )
