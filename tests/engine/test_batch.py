from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.batch import Batch, linear_batch, merged


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    tokens = draw(st.lists(st.integers(0, 1000), min_size=1, max_size=9))
    return linear_batch(
        tokens,
        start=draw(st.integers(0, 50)),
        sequence=draw(st.integers(0, 5)),
        outputs=draw(st.integers(0, len(tokens))),
    )


def content(batch: Batch) -> list[tuple[int, int, tuple[int, ...], int]]:
    columns = (
        batch.tokens.tolist(),
        batch.positions.tolist(),
        batch.sequences,
        batch.wants_output.tolist(),
    )
    return list(zip(*columns, strict=True))


def test_a_linear_batch_is_one_sequence_that_goes_on_from_its_start() -> None:
    batch = linear_batch([7, 8, 9], start=4, sequence=2, outputs=1)
    assert content(batch) == [(7, 4, (2,), 0), (8, 5, (2,), 0), (9, 6, (2,), 1)]


@pytest.mark.parametrize("outputs", [0, 1, 3])
def test_the_last_tokens_of_a_linear_batch_have_outputs(outputs: int) -> None:
    batch = linear_batch([7, 8, 9], start=0, sequence=0, outputs=outputs)
    assert batch.outputs == outputs
    assert batch.wants_output.tolist() == [0] * (3 - outputs) + [1] * outputs


@given(batch=batches(), cut=st.integers(0, 9))
def test_the_parts_of_a_batch_are_the_batch(batch: Batch, cut: int) -> None:
    cut = min(cut, len(batch))
    parts = [batch.part(0, cut), batch.part(cut, len(batch))]
    assert [row for part in parts for row in content(part)] == content(batch)
    assert sum(part.outputs for part in parts) == batch.outputs


@given(many=st.lists(batches(), min_size=1, max_size=4))
def test_merged_batches_keep_every_token_with_what_belongs_to_it(many: list[Batch]) -> None:
    whole = merged(many)
    assert content(whole) == [row for batch in many for row in content(batch)]
    assert len(whole) == sum(len(batch) for batch in many)
    assert (whole.tokens.dtype, whole.positions.dtype) == (np.int32, np.int32)
    assert whole.wants_output.dtype == np.int8
