"""What tests of runtimes share: this file holds one worker for many tests, and little models."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smallhold.engine.config import ModelConfig
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import Completion, Message, Role
from smallhold.runtimes import Runtime
from smallhold.runtimes.embedded import EmbeddedRuntime


@pytest.fixture(scope="session")
def worker_config(smollm2_path: Path) -> ModelConfig:
    """One thread: with more, a core that another process uses makes every token wait."""
    return ModelConfig(
        path=smollm2_path,
        name="smol",
        context_tokens=1024,
        batch_tokens=64,
        threads=1,
    )


@pytest.fixture(scope="module")
async def embedded(worker_config: ModelConfig) -> AsyncIterator[EmbeddedRuntime]:
    runtime = EmbeddedRuntime(worker_config)
    yield runtime
    await runtime.aclose()


@pytest.fixture(scope="session")
def foreign_model() -> bytes:
    """A sound GGUF file of an architecture that llama.cpp does not know."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    pair = text("general.architecture") + struct.pack("<I", 8) + text("abacus")
    tensor = text("beads") + struct.pack("<IQIQ", 1, 32, 0, 0)
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + pair + tensor
    return header + bytes(-len(header) % 32) + bytes(128)


class Talk:
    """Asks a runtime and listens to the end."""

    def request(self, text: str, *, max_tokens: int = 12, system: str = "") -> GenerationRequest:
        first = (Message(role=Role.SYSTEM, content=system),) if system else ()
        messages = (*first, Message(role=Role.USER, content=text))
        return GenerationRequest(prompt=Prompt(messages=messages), max_tokens=max_tokens)

    async def hear(self, runtime: Runtime, request: GenerationRequest) -> Completion:
        async with runtime.stream(request) as stream:
            async for _ in stream:
                pass
            return stream.completion


@pytest.fixture(scope="session")
def talk() -> Talk:
    return Talk()
