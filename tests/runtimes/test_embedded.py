from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.tiny_models import write_llama, write_lora

from smallhold.exceptions import (
    ConfigError,
    InvalidGGUFError,
    ModelLoadError,
    UnsupportedSchemaError,
    WorkerDiedError,
)
from smallhold.generation import JsonSchemaConstraint
from smallhold.messages import Completion, FinishReason
from smallhold.models.calibration import packaged_calibration
from smallhold.runtimes import DIALECTS, Capability, ModelConfig
from smallhold.runtimes.embedded import EmbeddedRuntime

if TYPE_CHECKING:
    from tests.runtimes.conftest import Talk

CANARIES = ("heron", "walnut", "copper", "velvet")


def test_making_a_runtime_starts_nothing(worker_config: ModelConfig) -> None:
    runtime = EmbeddedRuntime(worker_config)
    assert runtime.worker_pid is None
    assert runtime.name == "embedded:smol"


def test_a_runtime_offers_all_that_its_own_decoder_can(worker_config: ModelConfig) -> None:
    limits = EmbeddedRuntime(worker_config, dialect=DIALECTS["llama3"]).limits
    assert limits.capabilities == {
        Capability.CONSTRAINTS, Capability.CONTINUATION, Capability.SCORING, Capability.EMBEDDING
    }  # fmt: skip
    assert limits.dialect is DIALECTS["llama3"]


def test_a_runtime_says_how_its_model_s_scores_are_read(tmp_path: Path) -> None:
    config = ModelConfig(path=write_llama(tmp_path / "model.gguf"), name="tiny")
    calibration = packaged_calibration("qwen2.5-coder-0.5b")
    runtime = EmbeddedRuntime(config, calibration=calibration)
    assert runtime.limits.calibration is calibration
    assert runtime.worker_pid is None
    assert EmbeddedRuntime(config).limits.calibration is None


def test_a_window_larger_than_the_model_knows_is_cut_to_it(worker_config: ModelConfig) -> None:
    assert EmbeddedRuntime(worker_config).limits.context_tokens == 1024
    large = EmbeddedRuntime(replace(worker_config, context_tokens=100_000))
    assert large.limits.context_tokens == 8192


@pytest.mark.parametrize(
    "content",
    [b"", b"GGUF", b"MZ\x90\0" * 100, b"GGUF\3\0\0\0" + b"\xff" * 16, None],
    ids=["empty", "four bytes", "a program", "absurd counts", "truncated"],
)
def test_a_broken_file_is_refused_before_any_worker_sees_it(
    worker_config: ModelConfig, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(worker_config.path.read_bytes()[:1_000_000] if content is None else content)
    with pytest.raises(InvalidGGUFError) as caught:
        EmbeddedRuntime(replace(worker_config, path=path))
    assert caught.value.path == str(path)


@pytest.mark.parametrize("field", ["adapters", "draft_path"])
def test_the_files_beside_the_model_s_own_are_looked_at_as_closely(
    worker_config: ModelConfig, tmp_path: Path, field: str
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF\3\0\0\0" + b"\xff" * 16)
    config = (
        replace(worker_config, adapters={"clerk": path})
        if field == "adapters"
        else replace(worker_config, draft_path=path)
    )
    with pytest.raises(InvalidGGUFError) as caught:
        EmbeddedRuntime(config)
    assert caught.value.path == str(path)


async def test_an_adapter_is_chosen_for_each_request(tmp_path: Path, talk: Talk) -> None:
    base = write_llama(tmp_path / "model.gguf")
    adapters = {"clerk": write_lora(tmp_path / "clerk.gguf", base=base)}
    runtime = EmbeddedRuntime(ModelConfig(path=base, name="tiny", threads=1, adapters=adapters))
    request = talk.request("Hello!")
    other = replace(request, prompt=replace(request.prompt, adapter="clerk"))
    texts = [
        (await talk.hear(runtime, asked)).message.content
        for asked in (request, other, request, other)
    ]
    await runtime.aclose()
    assert texts[:2] == texts[2:]
    assert texts[0] != texts[1]


async def test_a_file_that_llama_cpp_refuses_is_told_every_time(
    worker_config: ModelConfig, tmp_path: Path, foreign_model: bytes, talk: Talk
) -> None:
    path = tmp_path / "abacus.gguf"
    path.write_bytes(foreign_model)
    runtime = EmbeddedRuntime(replace(worker_config, path=path))
    for _ in range(3):
        with pytest.raises(ModelLoadError, match="abacus") as caught:
            await talk.hear(runtime, talk.request("Hello!"))
        assert caught.value.path == str(path)
    await runtime.aclose()


async def test_all_who_wait_for_a_model_that_cannot_be_loaded_are_told_why(
    worker_config: ModelConfig, tmp_path: Path, foreign_model: bytes, talk: Talk
) -> None:
    path = tmp_path / "abacus.gguf"
    path.write_bytes(foreign_model)
    runtime = EmbeddedRuntime(replace(worker_config, path=path))
    told: list[str] = []

    async def one() -> None:
        with pytest.raises(ModelLoadError) as caught:
            await talk.hear(runtime, talk.request("Hello!"))
        told.append(caught.value.path)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(one)
    assert told == [str(path)] * 5
    await runtime.aclose()


async def test_a_model_that_was_mended_is_loaded_by_the_next_request(
    worker_config: ModelConfig, tmp_path: Path, foreign_model: bytes, talk: Talk
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(foreign_model)
    runtime = EmbeddedRuntime(replace(worker_config, path=path))
    with pytest.raises(ModelLoadError):
        await talk.hear(runtime, talk.request("Hello!"))
    path.unlink()
    path.symlink_to(worker_config.path)
    completion = await talk.hear(runtime, talk.request("Hello!", max_tokens=2))
    await runtime.aclose()
    assert completion.usage.completion_tokens == 2


async def test_a_runtime_describes_what_is_loaded(embedded: EmbeddedRuntime) -> None:
    described = await embedded.describe()
    assert described.pid == embedded.worker_pid
    assert described.description.startswith("llama")


async def test_threads_can_be_set_between_requests_and_load_the_model(
    embedded: EmbeddedRuntime,
) -> None:
    assert await embedded.set_threads(1) == 1
    assert await embedded.set_threads(None) == 1, "what the settings say"
    assert embedded.worker_pid is not None
    with pytest.raises(ConfigError, match="threads"):
        await embedded.set_threads(0)


async def test_a_killed_worker_is_told_and_replaced(embedded: EmbeddedRuntime, talk: Talk) -> None:
    await talk.hear(embedded, talk.request("Hello!", max_tokens=1))
    pid = embedded.worker_pid
    assert pid is not None
    async with embedded.stream(talk.request("A long story.", max_tokens=400)) as stream:
        await anext(aiter(stream))
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerDiedError, match="SIGKILL"):
            _ = [piece async for piece in stream]
    completion = await talk.hear(embedded, talk.request("Hello!", max_tokens=2))
    assert completion.usage.completion_tokens == 2
    assert embedded.worker_pid not in {pid, None}


async def test_a_deadline_frees_the_worker_for_the_next_request(
    embedded: EmbeddedRuntime, talk: Talk
) -> None:
    await talk.hear(embedded, talk.request("Hello!", max_tokens=1))
    pid = embedded.worker_pid
    endless = JsonSchemaConstraint(
        schema={"type": "array", "items": {"type": "integer", "minimum": 10}, "minItems": 500}
    )
    request = replace(talk.request("Count.", max_tokens=900), constraint=endless)
    with anyio.move_on_after(0.4) as scope:
        await talk.hear(embedded, request)
    assert scope.cancelled_caught
    completion = await talk.hear(embedded, talk.request("Hello!", max_tokens=2))
    assert embedded.worker_pid == pid
    assert completion.usage.completion_tokens == 2


async def test_everybody_gets_the_answer_to_his_own_question(
    embedded: EmbeddedRuntime, talk: Talk
) -> None:
    heard: dict[str, str] = {}

    async def one(canary: str) -> None:
        request = replace(
            talk.request(f"Say {canary}."),
            constraint=JsonSchemaConstraint(schema={"const": {"word": canary}}),
        )
        completion = await talk.hear(embedded, replace(request, max_tokens=40))
        heard[canary] = completion.message.content

    async def in_a_thread(canary: str) -> None:
        await anyio.to_thread.run_sync(lambda: anyio.run(one, canary))

    async with anyio.create_task_group() as group:
        for canary in CANARIES:
            group.start_soon(one, canary)
            group.start_soon(in_a_thread, canary.upper())
    assert heard == {
        canary: f'{{"word": "{canary}"}}'
        for canary in (*CANARIES, *(canary.upper() for canary in CANARIES))
    }


async def test_a_schema_that_cannot_be_enforced_is_refused(
    embedded: EmbeddedRuntime, talk: Talk
) -> None:
    constraint = JsonSchemaConstraint(schema={"not": {"type": "string"}})
    with pytest.raises(UnsupportedSchemaError):
        await talk.hear(embedded, replace(talk.request("Hello!"), constraint=constraint))


async def test_text_that_is_cut_in_the_middle_of_a_character_is_never_shown_broken(
    embedded: EmbeddedRuntime, talk: Talk
) -> None:
    constraint = JsonSchemaConstraint(schema={"const": "😀é日本語😀"})
    request = replace(talk.request("Hello!", max_tokens=60), constraint=constraint)
    async with embedded.stream(request) as stream:
        pieces = [piece async for piece in stream]
        assert stream.completion.finish_reason is FinishReason.STOP
    assert "\ufffd" not in "".join(pieces)


async def test_instructions_outlive_the_process_that_computed_them(
    worker_config: ModelConfig, tmp_path: Path, talk: Talk
) -> None:
    config = replace(worker_config, snapshot_folder=tmp_path)
    system = "You serve the guests of a small hotel by the sea. " * 10
    request = talk.request("Is there a room?", system=system)
    completions: list[Completion] = []
    for _ in range(2):
        runtime = EmbeddedRuntime(config)
        completions.append(await talk.hear(runtime, request))
        await runtime.aclose()
    cold, warm = completions
    assert (cold.usage.cached_tokens, warm.usage.cached_tokens > 90) == (0, True)
    assert warm.message.content == cold.message.content
    assert warm.usage.passes < cold.usage.passes
