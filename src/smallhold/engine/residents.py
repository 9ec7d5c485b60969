"""What running requests hold in the context: this file holds the decisions about sharing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from smallhold.engine.tokens import Tokens, common_prefix, distinct_tokens

MIN_SHARED_TOKENS: Final = 32
"""Waiting for another request to compute fewer tokens than this would cost as much as it saves."""


FRESH_TOKENS: Final = 2
"""Tokens at a prompt's end that are always computed: the last for its logits, and one more, since a
pass of a single row runs other kernels that round otherwise (`docs/benchmarks.md`, rounding)."""


def reusable(prompt: Tokens) -> Tokens:
    """Give the part of a prompt whose keys and values may be taken from elsewhere."""
    return prompt[:-FRESH_TOKENS]


@dataclass(slots=True, kw_only=True, eq=False)
class Resident:
    """The sequence of one running request."""

    sequence: int
    adapter: str | None
    priority: int
    """Lower goes first."""
    prompt: Tokens
    answer_tokens: int
    """Room kept for what comes after the prompt."""
    held: list[int] = field(default_factory=list[int])
    """Tokens whose keys and values are in the sequence."""

    @property
    def has_read_prompt(self) -> bool:
        """Whether only the answer is still to be computed."""
        return len(self.held) >= len(self.prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """Whose sequence begins like a prompt, and how far."""

    sequence: int
    tokens: int


def find_donor(
    prompt: Tokens, residents: Sequence[Resident], *, adapter: str | None
) -> Donor | None:
    """Find the sequence that shares the longest beginning with a prompt.

    At most what is `reusable`.
    """
    best: Donor | None = None
    for resident in residents:
        if resident.adapter != adapter:
            continue
        held = np.asarray(resident.held, dtype=np.int32)
        shared = common_prefix(held, reusable(prompt))
        if shared > (0 if best is None else best.tokens):
            best = Donor(sequence=resident.sequence, tokens=shared)
    return best


def is_being_computed(
    prompt: Tokens,
    residents: Sequence[Resident],
    *,
    adapter: str | None,
    priority: int,
    known_tokens: int,
) -> bool:
    """Whether some request is about to compute more of a prompt's beginning than is known of it.

    Less urgent ones do not count: others may keep them waiting, and whoever waits for them.
    """
    for resident in residents:
        if resident.adapter != adapter or resident.priority > priority or resident.has_read_prompt:
            continue
        shared = common_prefix(resident.prompt, reusable(prompt))
        if shared >= max(len(resident.held), known_tokens) + MIN_SHARED_TOKENS:
            return True
    return False


def cells_needed(
    residents: Sequence[Resident],
    *,
    prompt: Tokens,
    answer_tokens: int,
    is_shared: bool,
    adapter: str | None = None,
) -> int:
    """Count the cells of all running requests and one more, shared beginnings once."""
    prompts: dict[str | None, list[Tokens]] = {adapter: [prompt]}
    for resident in residents:
        prompts.setdefault(resident.adapter, []).append(resident.prompt)
    read = 0
    for runs in prompts.values():
        whole = sum(len(tokens) for tokens in runs)
        # Each may have computed a short beginning by itself, which nobody waits for.
        apart = distinct_tokens(runs) + (MIN_SHARED_TOKENS - 1) * (len(runs) - 1)
        read += min(whole, apart) if is_shared else whole
    return read + sum(resident.answer_tokens for resident in residents) + answer_tokens
