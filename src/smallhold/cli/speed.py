"""How fast a model is: this file holds the rates of one measured generation.

It knows neither engine nor agents, so that `doctor` can speak where these are missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from smallhold.messages import Completion, JsonObject

_FEATURE_ON: Final = re.compile(r"(\w+) = 1\b")
_BACKEND: Final = re.compile(r"(?:^|\| )(\w+) : ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What a model did on this machine just now; other programs slow it down."""

    model: str
    engine_version: str
    cpu_features: tuple[str, ...]
    """Instruction sets that the engine was compiled for, by llama.cpp's names."""
    load_s: float
    prefill_tokens_per_s: float | None
    """Prompt tokens; `None` when too few were computed to tell."""
    decode_tokens_per_s: float | None
    """Tokens of the answer; `None` when there were too few to tell."""
    backends: tuple[str, ...] = ()
    """What the engine computes on, by llama.cpp's names such as `CPU` and `CUDA`."""

    def to_dict(self) -> JsonObject:
        """The measurement as JSON."""
        return {
            "model": self.model,
            "load_s": round(self.load_s, 2),
            "prefill_tokens_per_s": _rounded(self.prefill_tokens_per_s),
            "decode_tokens_per_s": _rounded(self.decode_tokens_per_s),
        }


def parse_features(system_info: str) -> tuple[str, ...]:
    """Read the features that are on out of llama.cpp's `CPU : AVX2 = 1 | F16C = 1 | ...`."""
    return tuple(_FEATURE_ON.findall(system_info))


def parse_backends(system_info: str) -> tuple[str, ...]:
    """Read what the engine computes on out of `CUDA : ARCHS = 900 | CPU : AVX2 = 1 | ...`."""
    return tuple(dict.fromkeys(_BACKEND.findall(system_info)))


def prefill_rate(completion: Completion) -> float | None:
    """Prompt tokens computed per second until the first token of the answer."""
    computed = completion.usage.prompt_tokens - completion.usage.cached_tokens
    return _rate(computed, completion.timing.first_token_s - completion.timing.queued_s)


def decode_rate(completion: Completion) -> float | None:
    """Tokens written per second after the first."""
    written = completion.usage.completion_tokens - 1
    return _rate(written, completion.timing.total_s - completion.timing.first_token_s)


def _rate(tokens: int, duration_s: float) -> float | None:
    return tokens / duration_s if tokens > 0 and duration_s > 0 else None


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)
