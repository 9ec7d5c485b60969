"""How fast a model is here: this file holds a short trial."""

from __future__ import annotations

from typing import Final

from smallhold.cli.agent_setup import load_model
from smallhold.cli.speed import (
    Speed,
    decode_rate,
    parse_backends,
    parse_features,
    prefill_rate,
)
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import Completion, Message, Role
from smallhold.runtimes.protocol import Runtime

_TRIAL_TOKENS: Final = 32
"""Enough for a decode rate within a few per cent; below a second at 25 ms a token."""
_TRIAL_TEXT: Final = " ".join(
    f"Shelf {number} holds {number * 7} boxes of part {number * 13}." for number in range(1, 17)
)
_TRIAL_TASK: Final = "Write the numbers from one to one hundred in words."


async def try_speed(runtime: Runtime, *, model: str) -> Speed:
    """Load a model, let it read some hundred tokens and write a few, and free it.

    Raises:
        EngineError: the engine is missing or refuses the model.
    """
    try:
        described, load_s = await load_model(runtime)
        completion = await _trial(runtime)
    finally:
        await runtime.aclose()
    return Speed(
        model=model,
        engine_version="" if described is None else described.version,
        cpu_features=() if described is None else parse_features(described.system_info),
        load_s=load_s,
        prefill_tokens_per_s=prefill_rate(completion),
        decode_tokens_per_s=decode_rate(completion),
        backends=() if described is None else parse_backends(described.system_info),
    )


async def _trial(runtime: Runtime) -> Completion:
    message = Message(role=Role.USER, content=f"{_TRIAL_TEXT}\n{_TRIAL_TASK}")
    request = GenerationRequest(prompt=Prompt(messages=(message,)), max_tokens=_TRIAL_TOKENS)
    async with runtime.stream(request) as stream:
        async for _ in stream:
            pass
        return stream.completion
