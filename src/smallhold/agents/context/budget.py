"""How a context window is shared out: this file holds the budget, part by part."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from smallhold.exceptions import ConfigError

Size: TypeAlias = int | float
"""A whole number counts tokens; a fraction above 0 and at most 1.0 is a share of the window."""

_ANSWER_RATIO: Final = 0.25
"""Most of the window that is kept free for an answer unless the budget says otherwise. Most answers
are shorter than the `max_tokens` that they may have."""
_RATIOS: Final = "give a number above 0 and at most 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBudget:
    """A budget in the tokens of one context window; `None` is no limit of its own."""

    context: int
    answer: int
    instructions: int | None
    tools: int | None
    examples: int | None
    history: int | None
    tool_result: int
    message: int | None
    summary: int
    facts: int

    @property
    def prompt(self) -> int:
        """Most tokens of a whole prompt: what the answer leaves of the window."""
        return self.context - self.answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextBudget:
    """How much of a model's context window each part of a prompt may take.

    A part that can be shortened is shortened when it exceeds its budget: the history and tools'
    results. One that cannot is refused: instructions, tools, examples, the user's message.

    Raises:
        ConfigError: a size is neither a whole number above 0 nor a share above 0 and up to 1.0.
    """

    answer: Size | None = None
    """Kept free for what the model writes. `None` is the run's `max_tokens`, but at most a quarter
    of the window."""
    instructions: Size | None = None
    """Most for the system message; `None` is what fits."""
    tools: Size | None = None
    """Most for the tools' descriptions; `None` is what fits."""
    examples: Size | None = None
    """Most for the worked examples; `None` is what fits."""
    history: Size | None = None
    """Most for the conversation before the user's current message; `None` is what the other parts
    leave."""
    tool_result: Size = 0.25
    """Most for one result of a tool; what is beyond is cut off its end."""
    message: Size | None = None
    """Most for the user's current message, which is never cut; `None` is what fits."""
    summary: Size = 96
    """Most for the model's summary of what is left out: about 70 words, 3 seconds of a small model
    on two cores."""
    facts: Size = 0.1
    """Most for the facts that are kept word for word of what is left out."""
    compact_to_ratio: float = 0.5
    """Share of the history's room that is filled after a compaction. Lower compacts less often, and
    leaves more out each time."""
    summarises: bool = True
    """Let the model summarise what is left out; otherwise only facts are kept."""
    summary_timeout_s: float = 20.0
    """Seconds for a summary, after which there is none."""

    def __post_init__(self) -> None:
        """Check every size; written so that NaN is refused too."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "compact_to_ratio":
                _require(0 < value <= 1, field.name, value, _RATIOS)
            elif field.name == "summary_timeout_s":
                _require(0 < value < math.inf, field.name, value, "give seconds above 0")
            elif field.name != "summarises" and value is not None:
                _require_size(field.name, value)

    def resolved(self, *, context_tokens: int, max_tokens: int) -> TokenBudget:
        """Give the budget in the tokens of one window.

        Args:
            context_tokens: Size of the window, at least 2.
            max_tokens: Most tokens that the model will be asked for.

        Raises:
            ConfigError: the answer would take the whole window.
        """
        common = min(max_tokens, max(1, int(context_tokens * _ANSWER_RATIO)))
        answer = common if self.answer is None else tokens_of(self.answer, context_tokens)
        if answer >= context_tokens:
            remedy = f"the model's context has {context_tokens:,} tokens; leave some for the prompt"
            raise ConfigError(field="answer", value=self.answer, remedy=remedy)

        def limit(size: Size | None) -> int | None:
            return None if size is None else tokens_of(size, context_tokens)

        return TokenBudget(
            context=context_tokens,
            answer=answer,
            instructions=limit(self.instructions),
            tools=limit(self.tools),
            examples=limit(self.examples),
            history=limit(self.history),
            tool_result=tokens_of(self.tool_result, context_tokens),
            message=limit(self.message),
            summary=tokens_of(self.summary, context_tokens),
            facts=tokens_of(self.facts, context_tokens),
        )


def tokens_of(size: Size, context_tokens: int) -> int:
    """Give a size in tokens, at least 1."""
    return max(1, int(size * context_tokens)) if isinstance(size, float) else size


def _require_size(name: str, value: object) -> None:
    match value:
        case bool():
            is_sound = False
        case int():
            is_sound = value >= 1
        case float():
            is_sound = 0 < value <= 1
        case _:
            is_sound = False
    remedy = "give tokens (a whole number, 1 or more) or a share of the window (above 0, up to 1.0)"
    _require(is_sound, name, value, remedy)


def _require(is_sound: bool, name: str, value: object, remedy: str) -> None:  # noqa: FBT001
    if not is_sound:
        raise ConfigError(field=name, value=value, remedy=remedy)
