from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.config import ModelConfig
from smallhold.engine.llama import (
    LAST_OUTPUT,
    Context,
    Model,
    linear_batch,
    system_info,
    usable_cores,
    version,
)
from smallhold.engine.loaded import LoadedModel
from smallhold.exceptions import DecodeError, ModelLoadError

SCRATCH, OTHER = 40, 41
"""Sequences that nothing else uses between two requests."""


spellable = st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x3FFFF)
"""SmolLM2's vocabulary lacks a few single bytes, so it cannot spell what is made of them."""


@pytest.fixture
def context(shared_model: LoadedModel) -> Context:
    for sequence in range(64):
        shared_model.context.remove(sequence)
    return shared_model.context


def after(context: Context, tokens: list[int], *, start: int = 0, sequence: int = SCRATCH) -> int:
    """The likeliest token after some tokens."""
    context.decode(linear_batch(tokens, start=start, sequence=sequence, logits=True))
    return int(np.argmax(context.logits(LAST_OUTPUT)))


def fill(context: Context, token: int, starts: list[int]) -> None:
    for start in range(0, 2 * context.capacity_tokens, 64):
        starts.append(start)
        context.decode(linear_batch([token] * 64, start=start, sequence=SCRATCH, logits=False))


def test_a_batch_of_one_sequence_asks_for_the_last_logits_or_none() -> None:
    batch = linear_batch([7, 8, 9], start=5, sequence=2, logits=True)
    assert batch.tokens.tolist() == [7, 8, 9]
    assert batch.positions.tolist() == [5, 6, 7]
    assert batch.sequences == ((2,), (2,), (2,))
    assert batch.wants_logits.tolist() == [0, 0, 1]
    assert not linear_batch([7], start=0, sequence=0, logits=False).wants_logits.any()


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
    assert usable_cores() >= 1


def test_a_copied_sequence_goes_on_as_its_source(
    context: Context, shared_model: LoadedModel
) -> None:
    tokens = shared_model.model.tokenize("One, two, three, four,", parse_special=False)
    context.decode(linear_batch(tokens[:-1], start=0, sequence=SCRATCH, logits=False))
    context.copy(SCRATCH, OTHER, end=len(tokens) - 1)
    start = len(tokens) - 1
    expected = after(context, tokens[-1:], start=start)
    assert after(context, tokens[-1:], start=start, sequence=OTHER) == expected


def test_a_saved_sequence_can_be_restored_where_it_was_removed(
    context: Context, shared_model: LoadedModel
) -> None:
    tokens = shared_model.model.tokenize("One, two, three, four,", parse_special=False)
    context.decode(linear_batch(tokens[:-1], start=0, sequence=SCRATCH, logits=False))
    state = context.save(SCRATCH)
    expected = after(context, tokens[-1:], start=len(tokens) - 1)
    logits = context.logits(LAST_OUTPUT).copy()
    assert context.remove(SCRATCH)
    assert context.restore(OTHER, state)
    assert after(context, tokens[-1:], start=len(tokens) - 1, sequence=OTHER) == expected
    assert np.array_equal(context.logits(LAST_OUTPUT), logits)


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
    after(context, [token])


def test_a_file_that_is_no_model_is_refused_with_llama_cpps_reason(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with ExitStack() as stack, pytest.raises(ModelLoadError) as caught:
        Model(ModelConfig(path=path, name="broken"), stack=stack)
    assert caught.value.path == str(path)
    assert caught.value.problem
