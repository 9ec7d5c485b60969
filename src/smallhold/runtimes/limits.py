"""What a runtime can do: this file holds capabilities as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from smallhold.models.calibration import Calibration
from smallhold.runtimes.dialects import CallDialect


class Capability(StrEnum):
    """What a runtime offers beyond turning messages into text."""

    CONSTRAINTS = "constraints"
    """Output held to a JSON Schema or Lark grammar while decoding."""
    CONTINUATION = "continuation"
    """The assistant's turn can be opened with given text, which the model continues."""
    SCORING = "scoring"
    """Log-probabilities of given choices after a prompt."""
    EMBEDDING = "embedding"
    """Prompts as vectors of the model's own hidden states; the runtime is an `Embedder`."""
    NATIVE_TOOL_CALLS = "native_tool_calls"
    """The runtime parses tool calls itself and returns them in the completion."""


OWN_DECODER: Final = frozenset({
    Capability.SCORING,
    Capability.CONTINUATION,
    Capability.CONSTRAINTS,
})
"""What a runtime needs so that an agent owns its decoder: calls are then valid by construction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLimits:
    """What a runtime can do; known without loading the model."""

    context_tokens: int
    """The most tokens of prompt and answer together."""
    capabilities: frozenset[Capability]
    dialect: CallDialect
    """How this model writes a tool call as text."""
    calibration: Calibration | None = field(default=None, hash=False)
    """How this model's scores are read; `None` where nothing was fitted for it."""
