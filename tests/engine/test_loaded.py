from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from smallhold.engine.config import ModelConfig
from smallhold.engine.loaded import LoadedModel
from smallhold.exceptions import ContextOverflowError
from smallhold.generation import GenerationRequest

if TYPE_CHECKING:
    from tests.engine.conftest import Asking, Driver

INSTRUCTIONS = "You serve the guests of a small hotel by the sea, briefly and with kindness. " * 6


@pytest.fixture
def snapshot_config(small_config: ModelConfig, tmp_path: Path) -> ModelConfig:
    return replace(small_config, snapshot_folder=tmp_path)


class Restart(Protocol):
    def __call__(self, config: ModelConfig | None = None) -> Driver: ...


@pytest.fixture
def restarted(driver: Driver, snapshot_config: ModelConfig) -> Iterator[Restart]:
    """Not a process of its own, but a model whose memory starts out empty."""
    with ExitStack() as stack:

        def restart(config: ModelConfig | None = None) -> Driver:
            return type(driver)(LoadedModel(config or snapshot_config, stack=stack))

        yield restart


def request_of(ask: Asking, text: str = "Is there a room with a view?") -> GenerationRequest:
    return GenerationRequest(prompt=ask(text, system=INSTRUCTIONS), max_tokens=8)


def snapshot_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.kv"))


def test_a_prompt_as_long_as_the_window_is_refused(driver: Driver, ask: Asking) -> None:
    encoded = driver.loaded.encoder.encode(ask("word " * 600), splits_tail=False)
    with pytest.raises(ContextOverflowError):
        driver.loaded.check_fits(encoded)
    driver.loaded.check_fits(replace(encoded, tokens=encoded.tokens[:511]))
    with pytest.raises(ContextOverflowError):
        driver.loaded.check_fits(replace(encoded, tokens=encoded.tokens[:512]))


def test_the_window_is_never_larger_than_the_model_was_trained_for(
    restarted: Restart, snapshot_config: ModelConfig
) -> None:
    config = replace(snapshot_config, context_tokens=9000, cache_tokens=0)
    assert restarted(config).loaded.context_tokens == 8192


def test_warming_up_reads_the_vocabulary(restarted: Restart) -> None:
    loaded = restarted().loaded
    assert "grammar_tokenizer" not in vars(loaded)
    loaded.warm_up()
    assert loaded.grammar_tokenizer.vocab_size == loaded.model.n_vocab


def test_instructions_are_not_computed_again_after_a_restart(
    restarted: Restart, ask: Asking, tmp_path: Path
) -> None:
    first, second = restarted(), restarted()
    cold, cold_end = first.finish(request_of(ask))
    (file,) = snapshot_files(tmp_path)
    warm, warm_end = second.finish(request_of(ask))
    assert warm == cold
    stable = first.loaded.encoder.encode(request_of(ask).prompt, splits_tail=False).stable_tokens
    assert (cold_end.usage.cached_tokens, warm_end.usage.cached_tokens) == (0, stable)
    assert warm_end.usage.passes < cold_end.usage.passes
    assert snapshot_files(tmp_path) == [file]


def test_a_snapshot_serves_every_question_under_the_same_instructions(
    restarted: Restart, ask: Asking
) -> None:
    restarted().finish(request_of(ask))
    _, finished = restarted().finish(request_of(ask, "When is breakfast?"))
    assert finished.usage.cached_tokens > 90


def test_a_snapshot_is_not_read_where_memory_knows_as_much(
    restarted: Restart, ask: Asking, tmp_path: Path
) -> None:
    driver = restarted()
    driver.finish(request_of(ask))
    (file,) = snapshot_files(tmp_path)
    file.write_bytes(b"spoiled")
    _, finished = driver.finish(request_of(ask))
    assert finished.usage.cached_tokens == finished.usage.prompt_tokens - 1
    assert file.read_bytes() == b"spoiled"


@pytest.mark.parametrize("spoil", [b"", b"garbage", None], ids=["empty", "garbage", "one bit"])
def test_a_spoiled_snapshot_costs_only_the_speed(
    restarted: Restart, ask: Asking, tmp_path: Path, spoil: bytes | None
) -> None:
    cold, _ = restarted().finish(request_of(ask))
    (file,) = snapshot_files(tmp_path)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data) if spoil is None else spoil)
    text, finished = restarted().finish(request_of(ask))
    assert text == cold
    assert finished.usage.cached_tokens == 0
    assert len(snapshot_files(tmp_path)) == 1
    assert restarted().finish(request_of(ask))[1].usage.cached_tokens > 0


def test_a_state_that_llama_cpp_will_not_take_is_thrown_away(
    restarted: Restart, ask: Asking
) -> None:
    driver = restarted()
    snapshots = driver.loaded.snapshots
    assert snapshots is not None
    encoded = driver.loaded.encoder.encode(request_of(ask).prompt, splits_tail=False)
    stable = encoded.tokens[: encoded.stable_tokens].tolist()
    snapshots.save(stable, bytes(1000))
    _, finished = driver.finish(request_of(ask))
    assert finished.usage.cached_tokens == 0
    assert len(snapshots.load(stable) or b"") > 1000


def test_short_instructions_are_not_worth_a_snapshot(
    restarted: Restart, ask: Asking, tmp_path: Path
) -> None:
    request = GenerationRequest(prompt=ask("Hello!", system="Be kind."), max_tokens=1)
    restarted().finish(request)
    assert snapshot_files(tmp_path) == []


@pytest.mark.slow
def test_a_snapshot_restored_into_a_nearly_full_memory_fits(
    restarted: Restart, ask: Asking, snapshot_config: ModelConfig
) -> None:
    restarted().finish(request_of(ask))
    driver = restarted(replace(snapshot_config, cache_tokens=0))
    # Begins as the instructions do, so that some of its cells would be shared with them.
    other = ask("Tell about ships. " * 80, system=INSTRUCTIONS[:300])
    driver.finish(GenerationRequest(prompt=other, max_tokens=100))
    long = request_of(ask, "Is there a room? " * 60)
    _, finished = driver.finish(replace(long, max_tokens=100))
    assert finished.usage.cached_tokens > 90


@pytest.mark.slow
@pytest.mark.parametrize("cache_tokens", [0, 100])
def test_conversations_take_turns_where_there_is_no_room_for_two(
    restarted: Restart, ask: Asking, snapshot_config: ModelConfig, cache_tokens: int
) -> None:
    driver = restarted(replace(snapshot_config, cache_tokens=cache_tokens, snapshot_folder=None))
    for topic in ("ships", "trains", "ships"):
        prompt = ask(f"Tell about {topic}. " * 70, system=INSTRUCTIONS)
        _, finished = driver.finish(GenerationRequest(prompt=prompt, max_tokens=30))
        assert finished.usage.completion_tokens >= 1
