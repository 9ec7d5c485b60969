"""What no answer may say: this file holds the guardrail for banned words and patterns."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from smallhold.agents.guardrails.checks import OutputCheck
from smallhold.agents.guardrails.normalisation import fold, skeleton
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class BannedContent:
    """Blocks or flags answers with banned words, or that match banned patterns.

    Raises:
        ConfigError: nothing is banned, a word is empty, or a pattern cannot be compiled.
    """

    words: Collection[str] = ()
    """Words or expressions. Case, accents and disguises do not count; a star stands for any
    ending: `scam*`."""
    patterns: Collection[str] = ()
    """Regular expressions over the answer as it is written."""
    action: Literal["block", "flag"] = "block"
    message: str | None = None
    """What the user reads after a block."""
    name: str = "banned_content"

    def __post_init__(self) -> None:
        """Check words and patterns."""
        if not self.words and not self.patterns:
            raise ConfigError(field="words", value=(), remedy="name words or patterns to ban")
        for word in self.words:
            if not fold(word.removesuffix("*")).strip():
                raise ConfigError(field="words", value=word, remedy="give no empty words")
        for pattern in self.patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ConfigError(
                    field="patterns", value=pattern, remedy=f"correct it: {error}"
                ) from error

    def check_output(self, check: OutputCheck) -> Verdict:
        """Look for the words, as they stand and undisguised, and for the patterns."""
        folded = fold(check.text)
        for text in (folded, skeleton(folded)):
            found = _words_pattern(tuple(self.words)).search(text) if self.words else None
            if found is not None:
                return self._verdict("a banned word")
        if any(re.search(pattern, check.text) for pattern in self.patterns):
            return self._verdict("a banned pattern")
        return Verdict.ok()

    def _verdict(self, what: str) -> Verdict:
        reason = f"the answer holds {what}"
        if self.action == "flag":
            return Verdict.flag(reason)
        return Verdict.block(reason, message=self.message)


@lru_cache(maxsize=64)
def _words_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    choices = (
        r"\W+".join(re.escape(piece) for piece in fold(word.removesuffix("*")).split())
        + r"\w*" * word.endswith("*")
        for word in words
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(choices)})(?!\w)")
