"""Damaged model files: the reader refuses them in time, and what it lets pass harms nobody."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.correctness.damage import Damage, damage, damaged, overwriting

from smallhold.engine.config import ModelConfig
from smallhold.exceptions import InvalidGGUFError, SmallholdError
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import Message, Role
from smallhold.models.gguf.header import read_gguf_header
from smallhold.runtimes.embedded import EmbeddedRuntime

HEADER_LIMIT_S = 2.0
"""A sound header of this size takes a few milliseconds."""
HEADER_LIMIT_BYTES = 32 << 20
"""The reader's own budget for what it keeps is 16 MiB."""

same_files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
edits = st.lists(damage | overwriting(), min_size=1, max_size=4)


@pytest.fixture(scope="session")
def header(tiny_llama: Path) -> bytes:
    """Everything before the weights, which no reader looks at."""
    sound = read_gguf_header(tiny_llama)
    return tiny_llama.read_bytes()[: sound.data_offset_bytes]


@pytest.fixture(scope="session")
def weights(tiny_llama: Path, header: bytes) -> bytes:
    return tiny_llama.read_bytes()[len(header) :]


def read_damaged(path: Path, data: bytes) -> bool:
    """Whether a file's header is sound; fails if finding out takes much time or memory."""
    path.write_bytes(data)
    tracemalloc.start()
    started_s = time.monotonic()
    try:
        read_gguf_header(path)
    except InvalidGGUFError:
        return False
    finally:
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert time.monotonic() - started_s < HEADER_LIMIT_S
        assert peak_bytes < HEADER_LIMIT_BYTES
    return True


@same_files
@given(edits)
def test_a_damaged_header_is_sound_or_refused(
    tmp_path: Path, header: bytes, weights: bytes, edits: Sequence[Damage]
) -> None:
    read_damaged(tmp_path / "damaged.gguf", damaged(header, edits) + weights)


def loadable(tmp_path: Path, header: bytes, weights: bytes, *, wanted: int) -> list[Path]:
    """Damaged files that our reader lets pass, so that llama.cpp sees them."""
    found: list[Path] = []
    for number in range(0, 4000, 3):
        edit = Damage(place=number / 4000, removed=1, added=bytes([number % 256]))
        path = tmp_path / f"{number}.gguf"
        if read_damaged(path, edit(header) + weights):
            found.append(path)
    return found[:: max(1, len(found) // wanted)]


@pytest.mark.slow
async def test_a_damaged_model_answers_or_ends_in_a_typed_error(
    tmp_path: Path, header: bytes, weights: bytes
) -> None:
    request = GenerationRequest(
        prompt=Prompt(messages=(Message(role=Role.USER, content="Hello!"),)), max_tokens=4
    )
    outcomes: set[str] = set()
    for path in loadable(tmp_path, header, weights, wanted=24):
        runtime = EmbeddedRuntime(ModelConfig(path=path, name="damaged", threads=1))
        try:
            async with runtime.stream(request) as stream:
                _ = [piece async for piece in stream]
            outcomes.add("answered")
        except SmallholdError as error:
            outcomes.add(type(error).__name__)
        finally:
            await runtime.aclose()
    assert "answered" in outcomes
