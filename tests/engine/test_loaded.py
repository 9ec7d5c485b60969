from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from tests.tiny_models import write_llama, write_lora, write_recurrent, write_sliding_window

from smallhold.engine.config import ModelConfig
from smallhold.engine.residents import FRESH_TOKENS
from smallhold.exceptions import ContextOverflowError, UnknownAdapterError
from smallhold.generation import GenerationRequest, ScoreRequest

if TYPE_CHECKING:
    from tests.engine.conftest import Asking, Driver, Start

    from smallhold.engine.tokens import Tokens

INSTRUCTIONS = "You serve the guests of a small hotel by the sea, briefly and with kindness. " * 6
CHOICES = ("yes", "no", "on request", "in the morning")
EXACT_NATS = 1e-3
TINY_WRITERS = {
    "llama": write_llama, "sliding window": write_sliding_window, "recurrent": write_recurrent,
}  # fmt: skip


@pytest.fixture
def snapshot_config(small_config: ModelConfig, tmp_path: Path) -> ModelConfig:
    return replace(small_config, snapshot_folder=tmp_path / "kv")


@pytest.fixture(params=TINY_WRITERS)
def tiny_config(request: pytest.FixtureRequest, tmp_path: Path) -> ModelConfig:
    return ModelConfig(
        path=TINY_WRITERS[request.param](tmp_path / "model.gguf"), name="tiny",
        context_tokens=2048, cache_bytes=64 * 1024 * 1024, threads=1,
        snapshot_folder=tmp_path / "kv",
    )  # fmt: skip


class Restart(Protocol):
    def __call__(self, config: ModelConfig | None = None) -> Driver: ...


@pytest.fixture
def restarted(start: Start, snapshot_config: ModelConfig) -> Restart:
    """Not a process of its own, but a model whose memory starts out empty."""
    return lambda config=None: start(config or snapshot_config)


def request_of(ask: Asking, text: str = "Is there a room with a view?") -> GenerationRequest:
    return GenerationRequest(prompt=ask(text, system=INSTRUCTIONS), max_tokens=8)


def stable_of(driver: Driver, request: GenerationRequest) -> Tokens:
    encoded = driver.loaded.encoder.encode(request.prompt, splits_tail=False)
    return encoded.tokens[: encoded.stable_tokens]


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
    start: Start, tmp_path: Path
) -> None:
    path = write_llama(tmp_path / "model.gguf")
    loaded = start(ModelConfig(path=path, name="tiny", context_tokens=9000)).loaded
    assert loaded.context_tokens == loaded.model.trained_context_tokens == 4096


def test_an_adapter_that_was_not_loaded_is_refused_by_name(driver: Driver) -> None:
    driver.loaded.require_adapter(None)
    with pytest.raises(UnknownAdapterError, match="pirate"):
        driver.loaded.require_adapter("pirate")


def test_no_sequence_is_given_out_twice_and_none_is_left_over(driver: Driver) -> None:
    loaded = driver.loaded
    single = [loaded.spare_sequence, loaded.canary_sequence]
    everybody = [*loaded.free_sequences, *single, *loaded.branch_sequences]
    assert sorted(everybody) == list(range(loaded.context.n_sequences))
    assert len(loaded.free_sequences) == loaded.config.concurrent_requests
    assert loaded.branch_width == len(loaded.branch_sequences)


def test_idle_time_is_spent_on_the_vocabulary_and_the_cost_of_passes(
    start: Start, tmp_path: Path
) -> None:
    path = write_llama(tmp_path / "model.gguf")
    driver = start(ModelConfig(path=path, name="tiny", threads=1))
    loaded = driver.loaded
    empty = driver.held_bytes()
    assert (loaded.pass_times, "grammar_tokenizer" in vars(loaded)) == (None, False)
    pieces = 0
    while loaded.idle_work():
        pieces += 1
    assert pieces > 5
    assert loaded.grammar_tokenizer.vocab_size == loaded.model.n_vocab
    assert loaded.pass_times is not None
    assert loaded.pass_times.at(1) > 0
    assert driver.held_bytes() == empty


def test_idle_work_between_two_requests_changes_no_answer(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(replace(tiny_config, drafts=False))
    expected = driver.finish(request_of(ask))[0]
    driver.forget_all()
    for _ in range(4):
        driver.loaded.idle_work()
        assert driver.finish(request_of(ask))[0] == expected


def test_instructions_are_not_computed_again_after_a_restart(
    restarted: Restart, ask: Asking, tmp_path: Path
) -> None:
    first, second = restarted(), restarted()
    cold, cold_end = first.finish(request_of(ask))
    (file,) = snapshot_files(tmp_path)
    warm, warm_end = second.finish(request_of(ask))
    assert warm == cold
    stable = len(stable_of(first, request_of(ask)))
    assert (cold_end.usage.cached_tokens, warm_end.usage.cached_tokens) == (0, stable)
    assert warm_end.usage.passes < cold_end.usage.passes
    assert snapshot_files(tmp_path) == [file]


def test_the_next_token_is_as_likely_after_a_snapshot_as_before(
    restarted: Restart, ask: Asking
) -> None:
    request = ScoreRequest(prompt=ask("Is breakfast served?", system=INSTRUCTIONS), choices=CHOICES)
    first = restarted()
    first.finish(request_of(ask, "When may we come?"))
    before = first.score(request)
    after = restarted().score(request)
    # Read in passes of the same shape, so that nothing but the snapshot could make a difference.
    assert after.usage == before.usage
    assert after.usage.cached_tokens > 90
    assert after.log_probs == pytest.approx(before.log_probs, abs=EXACT_NATS)


def test_every_kind_of_memory_goes_on_from_a_snapshot_as_from_the_prompt(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    scored = ScoreRequest(prompt=ask("Is breakfast served?", system=INSTRUCTIONS), choices=CHOICES)
    plain = start(replace(tiny_config, snapshot_folder=None))
    text = plain.finish(request_of(ask))[0]
    plain.forget_all()
    log_probs = plain.score(scored).log_probs
    start(tiny_config).finish(request_of(ask))
    warm, end = start(tiny_config).finish(request_of(ask))
    assert warm == text
    assert end.usage.cached_tokens == len(stable_of(plain, request_of(ask)))
    again = start(tiny_config).score(scored)
    assert again.usage.cached_tokens == end.usage.cached_tokens
    assert again.log_probs == pytest.approx(log_probs, abs=EXACT_NATS)


def test_scoring_alone_leaves_a_snapshot_too(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    scored = ScoreRequest(prompt=ask("Is breakfast served?", system=INSTRUCTIONS), choices=CHOICES)
    start(tiny_config).score(scored)
    assert start(tiny_config).finish(request_of(ask))[1].usage.cached_tokens > 90


def test_a_snapshot_serves_every_question_under_the_same_instructions(
    restarted: Restart, ask: Asking
) -> None:
    restarted().finish(request_of(ask))
    _, finished = restarted().finish(request_of(ask, "When is breakfast?"))
    assert finished.usage.cached_tokens > 90


def test_a_snapshot_serves_where_nothing_is_kept_in_memory(
    restarted: Restart, ask: Asking, snapshot_config: ModelConfig
) -> None:
    bare = replace(snapshot_config, cache_bytes=0)
    cold, _ = restarted(bare).finish(request_of(ask))
    driver = restarted(bare)
    for _ in range(2):
        warm, finished = driver.finish(request_of(ask))
        assert warm == cold
        assert finished.usage.cached_tokens > 90


def test_a_snapshot_is_not_read_where_memory_knows_as_much(
    restarted: Restart, ask: Asking, tmp_path: Path
) -> None:
    driver = restarted()
    driver.finish(request_of(ask))
    (file,) = snapshot_files(tmp_path)
    file.write_bytes(b"spoiled")
    _, finished = driver.finish(request_of(ask))
    assert finished.usage.cached_tokens == finished.usage.prompt_tokens - FRESH_TOKENS
    assert file.read_bytes() == b"spoiled"


def test_a_request_that_is_left_still_leaves_a_snapshot_of_its_instructions(
    start: Start, tiny_config: ModelConfig, ask: Asking, tmp_path: Path
) -> None:
    driver = start(replace(tiny_config, batch_tokens=64))
    answer = driver.ask(request_of(ask, "Is the sea warm in May? " * 20))
    stable = len(stable_of(driver, request_of(ask)))
    while sum(driver.batch_sizes) <= stable:
        driver.serve(passes=1)
    answer.has_left = True
    driver.serve()
    assert answer.replies == []
    assert len(snapshot_files(tmp_path)) == 1
    assert start(tiny_config).finish(request_of(ask))[1].usage.cached_tokens == stable


def test_a_request_left_before_its_instructions_are_read_leaves_no_snapshot(
    start: Start, tiny_config: ModelConfig, ask: Asking, tmp_path: Path
) -> None:
    driver = start(replace(tiny_config, batch_tokens=64))
    answer = driver.ask(request_of(ask))
    driver.serve(passes=2)
    answer.has_left = True
    driver.serve()
    assert snapshot_files(tmp_path) == []


SPOILERS = pytest.mark.parametrize(
    "spoil", [b"", b"garbage", None, "truncated"], ids=["empty", "garbage", "one bit", "truncated"]
)


@SPOILERS
def test_a_spoiled_snapshot_costs_only_the_speed(
    restarted: Restart, ask: Asking, tmp_path: Path, spoil: bytes | str | None
) -> None:
    cold, _ = restarted().finish(request_of(ask))
    (file,) = snapshot_files(tmp_path)
    sound = file.read_bytes()
    data = bytearray(sound)
    data[len(data) // 2] ^= 1
    match spoil:
        case bytes():
            file.write_bytes(spoil)
        case None:
            file.write_bytes(data)
        case _:
            file.write_bytes(sound[: len(sound) // 2])
    text, finished = restarted().finish(request_of(ask))
    assert text == cold
    assert finished.usage.cached_tokens == 0
    assert len(snapshot_files(tmp_path)) == 1
    assert restarted().finish(request_of(ask))[1].usage.cached_tokens > 0


def test_a_state_that_llama_cpp_will_not_take_is_thrown_away_and_made_again(
    restarted: Restart, ask: Asking
) -> None:
    driver = restarted()
    snapshots = driver.loaded.snapshots
    assert snapshots is not None
    stable = stable_of(driver, request_of(ask))
    snapshots.save(stable, bytes(1000), variant="")
    cold, finished = driver.finish(request_of(ask))
    assert finished.usage.cached_tokens == 0
    assert len(snapshots.load(stable, variant="") or b"") > 1000
    # Nor does it stay in memory, where it would be in the way of the right one.
    warm, finished = driver.finish(request_of(ask))
    assert warm == cold
    assert finished.usage.cached_tokens == finished.usage.prompt_tokens - FRESH_TOKENS


def test_a_snapshot_of_other_weights_is_not_used(
    start: Start, tiny_config: ModelConfig, ask: Asking, tmp_path: Path
) -> None:
    other = replace(tiny_config, path=write_llama(tmp_path / "other.gguf", seed=99))
    start(other).finish(request_of(ask))
    expected, _ = start(replace(tiny_config, snapshot_folder=None)).finish(request_of(ask))
    text, finished = start(tiny_config).finish(request_of(ask))
    assert (text, finished.usage.cached_tokens) == (expected, 0)


@pytest.mark.parametrize("tiny_config", ["llama"], indirect=True)
def test_a_snapshot_of_another_context_is_not_used(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    start(tiny_config).finish(request_of(ask))
    other = replace(tiny_config, flash_attention=True)
    assert start(other).finish(request_of(ask))[1].usage.cached_tokens == 0
    assert start(tiny_config).finish(request_of(ask))[1].usage.cached_tokens > 0


@pytest.mark.parametrize("tiny_config", ["llama"], indirect=True)
def test_a_snapshot_of_another_adapter_is_neither_used_nor_removed(
    start: Start, tiny_config: ModelConfig, ask: Asking, tmp_path: Path
) -> None:
    adapters = {
        name: write_lora(tmp_path / f"{name}.gguf", base=tiny_config.path, seed=seed)
        for name, seed in (("first", 11), ("second", 12))
    }
    config = replace(tiny_config, adapters=adapters)
    plain = request_of(ask)
    requests = [
        replace(plain, prompt=replace(plain.prompt, adapter=name)) for name in (None, *adapters)
    ]
    for read, request in enumerate(requests):
        driver = start(config)
        assert driver.finish(request)[1].usage.cached_tokens == 0
        assert len(snapshot_files(tmp_path)) == read + 1
    texts = [start(config).finish(request) for request in requests]
    assert all(finished.usage.cached_tokens > 90 for _, finished in texts)
    assert len({text for text, _ in texts}) == len(requests)


@pytest.mark.parametrize("tiny_config", ["llama"], indirect=True)
def test_snapshots_of_all_contexts_of_a_model_share_one_limit(
    start: Start, tiny_config: ModelConfig, ask: Asking, tmp_path: Path
) -> None:
    start(tiny_config).finish(request_of(ask))
    (file,) = snapshot_files(tmp_path)
    limit = 3 * file.stat().st_size
    for number in range(4):
        for flash_attention in (False, True):
            config = replace(tiny_config, flash_attention=flash_attention, snapshot_bytes=limit)
            prompt = ask("Hello!", system=f"{number}. {INSTRUCTIONS}")
            start(config).finish(GenerationRequest(prompt=prompt, max_tokens=1))
            total = sum(path.stat().st_size for path in (tmp_path / "kv").rglob("*.*"))
            assert 0 < total <= limit


def test_short_instructions_are_not_worth_a_snapshot(
    restarted: Restart, ask: Asking, tmp_path: Path
) -> None:
    request = GenerationRequest(prompt=ask("Hello!", system="Be kind."), max_tokens=1)
    restarted().finish(request)
    assert snapshot_files(tmp_path) == []


@pytest.mark.parametrize("tiny_config", ["llama"], indirect=True)
def test_a_snapshot_restored_into_a_nearly_full_memory_fits(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    config = replace(tiny_config, context_tokens=1024, active_tokens=1024, cache_bytes=0)
    start(config).finish(request_of(ask))
    driver = start(config)
    # Begins as the instructions do, so that some of its cells are shared with them.
    other = ask("Is the sea warm in May? " * 12, system=INSTRUCTIONS[:300])
    first = driver.ask(GenerationRequest(prompt=other, max_tokens=200))
    driver.serve(passes=5)
    second = driver.ask(request_of(ask))
    driver.serve()
    assert (first.error, second.error) == (None, None)
    assert second.finished.usage.cached_tokens > 90


@pytest.mark.slow
@pytest.mark.parametrize("cache_bytes", [0, 1024 * 1024])
def test_conversations_take_turns_where_there_is_no_room_for_two(
    restarted: Restart, ask: Asking, snapshot_config: ModelConfig, cache_bytes: int
) -> None:
    config = replace(snapshot_config, active_tokens=512, cache_bytes=cache_bytes)
    driver = restarted(replace(config, snapshot_folder=None))
    requests = [
        GenerationRequest(
            prompt=ask(f"Tell about {topic}. " * 70, system=INSTRUCTIONS), max_tokens=30
        )
        for topic in ("ships", "trains", "ships")
    ]
    for answer in driver.together(requests):
        assert answer.finished.usage.completion_tokens >= 1
