"""What is asked of a model: this file holds the frozen request and reply values of generation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from smallhold.messages import JsonObject, Message, ToolSchema, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the model reads. The order is the order of the bytes: stable text first."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...] = ()
    continuation: str = ""
    """Opening of the assistant's turn, not returned in the output."""
    fixed_messages: int = 0
    """How many messages after the system's own are the same in every prompt of this agent, such as
    examples. Runtimes may keep what they computed for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a token is drawn from the model's distribution."""

    temperature: float = 0.0
    """0 takes the likeliest token; higher is more varied."""
    top_p: float = 1.0
    """Nucleus: the smallest set of tokens whose probability sums to this. Source: Holtzman et al.
    2020, "The Curious Case of Neural Text Degeneration", section 3.1."""
    min_p: float = 0.0
    """Tokens less likely than this share of the likeliest are dropped. Source: Nguyen et al. 2024,
    "Turning Up the Heat: Min-p Sampling", section 3."""
    seed: int | None = None
    """Same seed, same prompt, same machine: same text. `None` draws a fresh seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchemaConstraint:
    """The output is one JSON value that is valid under this schema, and `closing`."""

    schema: JsonObject
    closing: str = ""
    """Text that ends the output. Where the value stands inside other JSON, this is what the model
    expects to follow: its vocabulary has `}}` as one token, and without it a number would go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LarkConstraint:
    """The output is a sentence of this grammar, in llguidance's Lark dialect."""

    grammar: str


Constraint: TypeAlias = JsonSchemaConstraint | LarkConstraint


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One generation."""

    prompt: Prompt
    constraint: Constraint | None = None
    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    """Generation ends before the first of these strings; they are not part of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest:
    """How likely is each of these texts as the continuation of the prompt?"""

    prompt: Prompt
    choices: tuple[str, ...]
    baseline: Prompt | None = None
    """A content-free twin of the prompt (such as the user saying `N/A`). The choices' scores after
    it are the model's bias, to be subtracted. They are computed once and remembered. Source: Zhao
    et al. 2021, "Calibrate Before Use", section 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Log-probabilities of choices, in the order of the request."""

    log_probs: tuple[float, ...]
    """Natural logarithm of each choice's whole probability given the prompt (a sum over tokens)."""
    baseline_log_probs: tuple[float, ...] | None
    """The same after the request's baseline; `None` if it had none."""
    token_counts: tuple[int, ...]
    """Tokens in each choice, for a length-normalised reading."""
    usage: Usage
