from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from smallhold.engine.batch import linear_batch
from smallhold.engine.config import KVType, ModelConfig
from smallhold.engine.llama import Context, Model, system_info, version
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.program import Mode
from smallhold.exceptions import DecodeError, ModelLoadError

SCRATCH, OTHER = 40, 41
"""Sequences that nothing else uses between two requests."""
ROOM_OF_F16 = {KVType.F32: 2.0, KVType.F16: 1.0, KVType.Q8_0: 0.55, KVType.Q4_0: 0.3}


spellable = st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x3FFFF)
"""SmolLM2's vocabulary lacks a few single bytes, so it cannot spell what is made of them."""


@pytest.fixture
def context(shared_model: LoadedModel) -> Iterator[Context]:
    context = shared_model.context
    yield context
    for sequence in (SCRATCH, OTHER):
        context.remove(sequence)


def read(context: Context, tokens: list[int], *, start: int = 0, sequence: int = SCRATCH) -> None:
    batch = linear_batch(tokens, start=start, sequence=sequence, outputs=0)
    context.decode(batch, Mode())


def after(
    context: Context, tokens: list[int], *, start: int = 0, sequence: int = SCRATCH
) -> NDArray[np.float32]:
    """Logits after some tokens."""
    context.decode(linear_batch(tokens, start=start, sequence=sequence, outputs=1), Mode())
    return context.outputs(0).logits(len(tokens) - 1).copy()


def fill(context: Context, token: int, starts: list[int]) -> None:
    for start in range(0, 2 * context.capacity_tokens, 64):
        starts.append(start)
        read(context, [token] * 64, start=start)


@pytest.fixture
def tokens(shared_model: LoadedModel) -> list[int]:
    return shared_model.model.tokenize("One, two, three, four,", parse_special=False)


@given(st.text(spellable, max_size=40))
def test_the_pieces_of_a_text_join_to_the_text(shared_model: LoadedModel, text: str) -> None:
    model = shared_model.model
    tokens = model.tokenize(text, parse_special=False)
    assert b"".join(model.piece(token) for token in tokens).decode() == text


@given(st.text(alphabet="<|im_endstart>\n ", max_size=40) | st.just("<|im_end|>"))
def test_plain_text_never_becomes_a_control_token(shared_model: LoadedModel, text: str) -> None:
    model = shared_model.model
    tokens = model.tokenize(text, parse_special=False)
    assert not [token for token in tokens if re.fullmatch(rb"<\|?\w+\|?>", model.piece(token))]


def test_trusted_text_may_spell_a_control_token(shared_model: LoadedModel) -> None:
    model = shared_model.model
    (token,) = model.tokenize("<|im_end|>", parse_special=True)
    assert token in model.end_tokens
    assert model.piece(token) == b"<|im_end|>"
    assert "<|im_end|>" in model.special_texts()


def test_a_text_may_be_longer_than_the_first_guess_of_its_tokens(
    shared_model: LoadedModel,
) -> None:
    text = "\U0001f9ff" * 3000
    tokens = shared_model.model.tokenize(text, parse_special=False)
    assert b"".join(shared_model.model.piece(token) for token in tokens).decode() == text


def test_a_model_tells_what_it_is(shared_model: LoadedModel) -> None:
    model = shared_model.model
    assert model.description().startswith("llama")
    assert model.trained_context_tokens == 8192
    assert "<|im_start|>" in (model.chat_template() or "")
    assert model.token_text(-1) == ""
    assert model.token_text(model.eos) == "<|im_end|>"
    assert version().count(".") == 2
    assert "CPU" in system_info()


def test_a_copied_sequence_goes_on_as_its_source(context: Context, tokens: list[int]) -> None:
    start = len(tokens) - 1
    read(context, tokens[:-1])
    context.copy(SCRATCH, OTHER, end=start)
    expected = after(context, tokens[-1:], start=start)
    copied = after(context, tokens[-1:], start=start, sequence=OTHER)
    assert int(np.argmax(copied)) == int(np.argmax(expected))


def test_a_saved_sequence_can_be_restored_where_it_was_removed(
    context: Context, tokens: list[int]
) -> None:
    read(context, tokens[:-1])
    state = context.save(SCRATCH)
    logits = after(context, tokens[-1:], start=len(tokens) - 1)
    assert context.remove(SCRATCH)
    assert context.restore(OTHER, state)
    again = after(context, tokens[-1:], start=len(tokens) - 1, sequence=OTHER)
    assert np.array_equal(again, logits)


def test_a_sequence_put_together_from_saved_parts_goes_on_as_the_whole(
    context: Context, tokens: list[int]
) -> None:
    start = len(tokens) - 1
    read(context, tokens[:-1])
    context.copy(SCRATCH, OTHER, start=3, end=start)
    later = context.save(OTHER)
    context.remove(OTHER)
    context.copy(SCRATCH, OTHER, end=3)
    earlier = context.save(OTHER)
    context.remove(OTHER)
    expected = after(context, tokens[-1:], start=start)
    context.remove(SCRATCH)
    assert context.restore(OTHER, later)
    assert context.restore(SCRATCH, bytes(earlier))
    context.copy(OTHER, SCRATCH, start=3, end=start)
    context.remove(OTHER)
    assert np.allclose(after(context, tokens[-1:], start=start), expected, atol=1e-3)


def test_what_is_behind_a_cut_is_forgotten(context: Context, tokens: list[int]) -> None:
    expected = after(context, tokens)
    context.remove(SCRATCH, start=3)
    assert np.allclose(after(context, tokens[3:], start=3), expected, atol=0.5)


def test_each_row_that_was_asked_for_has_its_own_logits(
    context: Context, tokens: list[int]
) -> None:
    context.decode(linear_batch(tokens, start=0, sequence=SCRATCH, outputs=2), Mode())
    rows = [context.outputs(-1).logits(len(tokens) + 1 - back).copy() for back in (1, 2)]
    context.remove(SCRATCH)
    assert np.allclose(rows[0], after(context, tokens), atol=0.5)
    context.remove(SCRATCH)
    assert np.allclose(rows[1], after(context, tokens[:-1]), atol=0.5)
    assert not np.allclose(rows[0], rows[1], atol=2)


@pytest.mark.parametrize("kv_type", KVType)
def test_keys_and_values_take_the_room_of_their_type_and_change_little(
    small_config: ModelConfig, tokens: list[int], context: Context, kv_type: KVType
) -> None:
    read(context, tokens[:-1])
    plain = len(context.save(SCRATCH))
    expected = after(context, tokens[-1:], start=len(tokens) - 1)
    with ExitStack() as stack:
        config = replace(small_config, kv_type=kv_type)
        other = Context(Model(config, stack=stack), stack=stack)
        read(other, tokens[:-1])
        share = len(other.save(SCRATCH)) / plain
        logits = after(other, tokens[-1:], start=len(tokens) - 1)
    assert share == pytest.approx(ROOM_OF_F16[kv_type], abs=0.06)
    assert np.corrcoef(logits, expected)[0, 1] > 0.98


def test_a_state_that_is_none_is_not_taken(context: Context) -> None:
    assert not context.restore(SCRATCH, bytes(100))


def test_a_full_memory_is_an_error_and_not_the_end(
    context: Context, shared_model: LoadedModel
) -> None:
    token = shared_model.model.tokenize("a", parse_special=False)[0]
    starts: list[int] = []
    with pytest.raises(DecodeError, match="full"):
        fill(context, token, starts)
    assert starts[-1] == context.capacity_tokens // 64 * 64
    context.remove(SCRATCH)
    assert np.isfinite(after(context, [token])).all()


def test_threads_can_be_limited_between_two_passes_and_change_no_result(
    context: Context, tokens: list[int]
) -> None:
    usual = context.limit_threads(None)
    before = after(context, tokens)
    context.remove(SCRATCH)
    try:
        assert context.limit_threads(1) == (1, 1)
        assert np.allclose(after(context, tokens), before, atol=1e-3)
    finally:
        assert context.limit_threads(None) == usual


def test_a_file_that_is_no_model_is_refused_with_llama_cpps_reason(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with ExitStack() as stack, pytest.raises(ModelLoadError) as caught:
        Model(ModelConfig(path=path, name="broken"), stack=stack)
    assert caught.value.path == str(path)
    assert caught.value.problem
