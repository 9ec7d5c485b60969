from __future__ import annotations

# llama_cpp's classes are only partly typed.
# pyright: reportUnknownMemberType=false
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import llama_cpp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.engine.desk import Desk
from tests.tiny_models import write_llama, write_recurrent, write_sliding_window

from smallhold.engine.config import ModelConfig
from smallhold.engine.embedding_program import embed, plan_places, unit
from smallhold.engine.llama import MAX_OUTPUTS
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.residents import FRESH_TOKENS
from smallhold.exceptions import ContextOverflowError, DecodeError, UnknownAdapterError
from smallhold.generation import EmbedRequest, Pooling, Prompt
from smallhold.messages import Message, Role, Usage

if TYPE_CHECKING:
    from tests.engine.conftest import Asking

SYSTEM = "You answer the letters of a small shop that sells clocks and nothing else. " * 4
LONG = "The clock in the hall has stopped again, and nobody knows why it did so. " * 8
POOLINGS = pytest.mark.parametrize("pooling", Pooling)


def states(path: Path, tokens: list[int]) -> NDArray[np.float64]:
    """Hidden states by llama-cpp-python's own high-level class, in one pass."""
    llama = llama_cpp.Llama(
        str(path), n_ctx=1024, n_batch=1024, n_ubatch=1024, n_threads=1, embedding=True,
        logits_all=True, flash_attn=False, pooling_type=llama_cpp.LLAMA_POOLING_TYPE_NONE,
        verbose=False,
    )  # fmt: skip
    with closing(llama):
        llama.eval(tokens)
        width = llama.n_embd()
        rows = [
            np.ctypeslib.as_array(
                llama_cpp.llama_get_embeddings_ith(llama.ctx, place), shape=(width,)
            ).astype(np.float64)
            for place in range(len(tokens))
        ]
        return np.stack(rows)


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture(scope="module", params=["llama", "sliding window", "recurrent", "smollm2"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    match request.param:
        case "llama":
            return write_llama(folder / "model.gguf")
        case "sliding window":
            return write_sliding_window(folder / "model.gguf")
        case "recurrent":
            return write_recurrent(folder / "model.gguf")
        case _:
            smollm2: Path = request.getfixturevalue("smollm2_path")
            return smollm2


@pytest.fixture
def desk(path: Path) -> Iterator[Desk]:
    config = ModelConfig(path=path, name="model", context_tokens=1024, threads=1)
    with ExitStack() as stack:
        yield Desk(LoadedModel(config, stack=stack))


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Desk]:
    config = ModelConfig(
        path=write_llama(tmp_path / "model.gguf"), name="tiny", context_tokens=1024, threads=1
    )
    with ExitStack() as stack:
        yield Desk(LoadedModel(config, stack=stack))


@POOLINGS
@pytest.mark.parametrize("text", ["Where is my parcel?", LONG], ids=["short", "long"])
def test_a_vector_is_pooled_from_the_states_that_llama_cpp_gives(
    desk: Desk, ask: Asking, pooling: Pooling, text: str
) -> None:
    prompt = ask(text, system=SYSTEM)
    encoded = desk.loaded.encoder.encode(prompt, splits_tail=False)
    theirs = states(desk.loaded.config.path, encoded.tokens.tolist())
    wanted = theirs[-1] if pooling is Pooling.LAST else theirs[encoded.stable_tokens :].mean(axis=0)
    assert 0 < encoded.stable_tokens < len(encoded.tokens)
    for _ in range(2):
        ours = desk.embed(prompt, pooling=pooling).vector
        assert np.linalg.norm(ours) == pytest.approx(1.0)
        assert cosine(ours, wanted) > 0.999


@POOLINGS
def test_a_beginning_that_is_known_is_not_read_again(
    desk: Desk, ask: Asking, pooling: Pooling
) -> None:
    first = desk.embed(ask("Where is my parcel?", system=SYSTEM), pooling=pooling).embedded.usage
    second = desk.embed(ask("Is it open today?", system=SYSTEM), pooling=pooling).embedded.usage
    prompt = desk.loaded.encoder.encode(ask("Is it open today?", system=SYSTEM), splits_tail=False)
    assert (first.cached_tokens, first.passes > 1) == (0, True)
    assert second == Usage(
        prompt_tokens=len(prompt.tokens), cached_tokens=prompt.stable_tokens, passes=1
    )


def test_the_last_state_of_a_prompt_that_was_read_costs_one_pass(tiny: Desk, ask: Asking) -> None:
    prompt = ask(LONG, system=SYSTEM)
    tiny.generate(prompt)
    cold = tiny.embed(prompt).embedded
    assert cold.usage.cached_tokens == cold.usage.prompt_tokens - FRESH_TOKENS
    assert cold.usage.passes == 1


def test_the_mean_of_a_prompt_that_was_read_needs_all_its_own_tokens_again(
    tiny: Desk, ask: Asking
) -> None:
    prompt = ask(LONG, system=SYSTEM)
    tiny.generate(prompt)
    encoded = tiny.loaded.encoder.encode(prompt, splits_tail=False)
    usage = tiny.embed(prompt, pooling=Pooling.MEAN).embedded.usage
    own = len(encoded.tokens) - encoded.stable_tokens
    assert usage.cached_tokens == encoded.stable_tokens
    assert usage.passes == -(-own // MAX_OUTPUTS) > 1


@POOLINGS
def test_what_is_generated_after_an_embedding_is_what_was_generated_before_it(
    desk: Desk, ask: Asking, pooling: Pooling
) -> None:
    prompt = ask("Tell me of the sea.", system=SYSTEM)
    before = desk.generate(prompt)
    desk.embed(prompt, pooling=pooling)
    desk.embed(ask("Something else.", system=SYSTEM), pooling=pooling)
    assert desk.generate(prompt) == before != ""


@POOLINGS
def test_embeddings_and_answers_at_the_same_time_are_those_of_each_alone(
    tiny: Desk, ask: Asking, pooling: Pooling
) -> None:
    prompts = [ask(f"{text} {LONG}", system=SYSTEM) for text in ("One.", "Two.", "Three.")]
    texts = [tiny.generate(prompt) for prompt in prompts]
    vectors = [tiny.embed(prompt, pooling=pooling).vector for prompt in prompts]
    tellers = [tiny.ask_text(prompt) for prompt in prompts]
    askers = [tiny.ask_embedding(prompt, pooling=pooling) for prompt in prompts]
    tiny.serve()
    assert [teller.text for teller in tellers] == texts
    for asker, vector in zip(askers, vectors, strict=True):
        assert cosine(asker.vector, vector) > 0.9999


@POOLINGS
def test_a_conversation_that_opens_the_answer_is_embedded_with_its_opening(
    tiny: Desk, ask: Asking, pooling: Pooling
) -> None:
    plain = tiny.embed(ask("Which tool?"), pooling=pooling).vector
    opened = tiny.embed(ask("Which tool?", continuation='{"tool": "'), pooling=pooling)
    assert cosine(plain, opened.vector) < 0.999


def test_a_prompt_that_does_not_fit_is_refused_before_any_pass(tiny: Desk, ask: Asking) -> None:
    listener = tiny.ask_embedding(ask("word " * 2000))
    assert not tiny.loaded.scheduler.run_pass()
    assert isinstance(listener.error, ContextOverflowError)
    assert tiny.loaded.scheduler.is_idle


def test_an_adapter_that_was_not_loaded_is_refused_before_any_pass(tiny: Desk, ask: Asking) -> None:
    prompt = Prompt(messages=ask("Hello!").messages, adapter="pirate")
    listener = tiny.ask_embedding(prompt)
    assert not tiny.loaded.scheduler.run_pass()
    assert isinstance(listener.error, UnknownAdapterError)


def test_a_prompt_of_instructions_alone_has_a_vector_too(tiny: Desk) -> None:
    prompt = Prompt(messages=(Message(role=Role.SYSTEM, content="Be brief."),))
    for pooling in Pooling:
        assert tiny.embed(prompt, pooling=pooling).embedded.usage.prompt_tokens > 0


def test_an_embedding_that_nobody_waits_for_any_more_leaves_its_sequence_free(
    tiny: Desk, ask: Asking
) -> None:
    free = len(tiny.loaded.free_sequences)
    program = embed(
        tiny.loaded,
        EmbedRequest(prompt=ask(LONG, system=SYSTEM), pooling=Pooling.MEAN),
        emit=lambda _: None,
    )
    next(program)
    assert len(tiny.loaded.free_sequences) == free - 1
    program.close()
    assert len(tiny.loaded.free_sequences) == free
    assert tiny.embed(ask(LONG, system=SYSTEM)).error is None


@given(st.integers(1, 3000), st.integers(0, 3000), st.sampled_from(Pooling))
def test_the_last_state_is_always_wanted_and_never_one_before_the_first_that_is_kept(
    prompt: int, stable: int, pooling: Pooling
) -> None:
    places = plan_places(prompt_tokens=prompt, stable_tokens=min(stable, prompt), pooling=pooling)
    assert 0 <= places.start <= places.first <= prompt - 1


@given(st.integers(1, 3000), st.integers(0, 3000))
def test_the_last_state_alone_takes_one_pass_however_long_the_prompt_is(
    prompt: int, stable: int
) -> None:
    places = plan_places(
        prompt_tokens=prompt, stable_tokens=min(stable, prompt), pooling=Pooling.LAST
    )
    assert places.first == prompt - 1
    assert prompt - places.start <= MAX_OUTPUTS


@given(st.integers(1, 3000), st.integers(0, 3000))
def test_the_mean_begins_where_the_prompt_is_its_own(prompt: int, stable: int) -> None:
    places = plan_places(prompt_tokens=prompt, stable_tokens=stable, pooling=Pooling.MEAN)
    assert places.first == places.start == min(stable, prompt - 1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8).filter(lambda v: max(v) > 1e-3))
def test_a_unit_vector_points_the_same_way(values: list[float]) -> None:
    vector = np.asarray(values)
    scaled = unit(vector)
    assert np.linalg.norm(scaled) == pytest.approx(1.0)
    assert scaled * np.linalg.norm(vector) == pytest.approx(vector)


@pytest.mark.parametrize("values", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_states_without_a_direction_are_an_error(values: list[float]) -> None:
    with pytest.raises(DecodeError, match="length"):
        unit(np.asarray(values))
