"""Parts that are never shortened: this file holds the error for one that does not fit."""

from __future__ import annotations

from typing import Final

from smallhold.agents.context.budget import TokenBudget
from smallhold.agents.context.fitted import PartTokens
from smallhold.exceptions import PartOverflowError

_REMEDIES: Final = {
    "form": "Choose a model with a larger window",
    "instructions": "Shorten the agent's `role` and `context`",
    "tools": "Offer fewer tools or shorter descriptions, lower `tool_limit`",
    "examples": "Give fewer examples",
    "message": "Send the message in parts",
}


def part_over_budget(parts: PartTokens, budget: TokenBudget) -> PartOverflowError | None:
    """Find the first part that exceeds a budget of its own; `None` when none does.

    Args:
        parts: Of a prompt whose conversation is the user's current message alone.
        budget: How the window is shared out.
    """
    limits = {
        "instructions": budget.instructions,
        "tools": budget.tools,
        "examples": budget.examples,
        "message": budget.message,
    }
    for part, tokens in _sizes(parts).items():
        limit = limits.get(part)
        if limit is not None and tokens > limit:
            return _error(part, tokens=tokens, room_tokens=limit, budget=budget)
    return None


def part_over_window(parts: PartTokens, budget: TokenBudget) -> PartOverflowError:
    """Blame the longest part of a prompt that does not fit the window.

    Args:
        parts: Of a prompt that holds nothing but what is never shortened.
        budget: How the window is shared out.
    """
    sizes = _sizes(parts)
    part = max(sizes, key=sizes.__getitem__)
    room_tokens = max(0, budget.prompt - (parts.total - sizes[part]))
    return _error(part, tokens=sizes[part], room_tokens=room_tokens, budget=budget)


def _sizes(parts: PartTokens) -> dict[str, int]:
    return {
        "tools": parts.tools,
        "examples": parts.examples,
        "instructions": parts.instructions,
        "form": parts.form,
        "message": parts.conversation,
    }


def _error(part: str, *, tokens: int, room_tokens: int, budget: TokenBudget) -> PartOverflowError:
    return PartOverflowError(
        part=part,
        part_tokens=tokens,
        room_tokens=room_tokens,
        context_tokens=budget.context,
        remedy=f"{_REMEDIES[part]}, or load the model with a larger `context_tokens`.",
    )
