"""What an engine did with one request: this file holds answers as their caller saw them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. Times are in seconds after the caller sent the request, transport included."""

    text: str
    prompt_tokens: int
    cached_tokens: int
    """Prompt tokens that were not computed again."""
    completion_tokens: int
    arrivals_s: tuple[float, ...]
    """When each piece of text arrived; one piece may hold several tokens."""
    total_s: float
    forced_tokens: int = 0
    passes: int | None = None
    """Forward passes, from engines that count them."""

    @property
    def computed_tokens(self) -> int:
        """Prompt tokens that were computed."""
        return self.prompt_tokens - self.cached_tokens

    @property
    def first_token_s(self) -> float:
        """When the first text arrived; the end of an answer without any."""
        return self.arrivals_s[0] if self.arrivals_s else self.total_s

    @property
    def longest_gap_s(self) -> float:
        """The longest pause between two pieces of text; 0 with fewer than two."""
        return max((later - earlier for earlier, later in pairwise(self.arrivals_s)), default=0.0)
