from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.tiny_models import write_llama, write_recurrent

from smallhold.engine.batch import linear_batch
from smallhold.engine.config import ModelConfig
from smallhold.engine.llama import Context, Model
from smallhold.engine.pass_times import MEASURED_ROWS
from smallhold.engine.pass_trial import PassTrial
from smallhold.engine.program import Mode

SEQUENCE = 1


@pytest.fixture(params=[write_llama, write_recurrent], ids=["attention", "recurrent"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    config = ModelConfig(
        path=request.param(tmp_path / "model.gguf"), name="tiny", context_tokens=256, threads=1
    )
    with ExitStack() as stack:
        yield Context(Model(config, stack=stack), stack=stack)


def read(context: Context, count: int, *, sequence: int) -> None:
    """Fill a sequence with tokens."""
    for start in range(0, count, context.batch_tokens):
        tokens = [1] * min(context.batch_tokens, count - start)
        context.decode(linear_batch(tokens, start=start, sequence=sequence, outputs=0), Mode())


def test_a_trial_measures_every_size_of_pass_none_longer_than_a_larger_one(
    context: Context,
) -> None:
    trial = PassTrial(context, sequence=SEQUENCE)
    while trial.go_on():
        pass
    assert trial.result is not None
    assert sorted(trial.result.seconds) == sorted(MEASURED_ROWS)
    in_order = [trial.result.at(rows) for rows in MEASURED_ROWS]
    assert in_order[0] > 0
    assert in_order == sorted(in_order)


def test_nothing_is_known_until_every_size_has_been_measured_several_times(
    context: Context,
) -> None:
    trial = PassTrial(context, sequence=SEQUENCE)
    passes = 0
    while trial.result is None:
        assert trial.go_on()
        passes += 1
    assert passes >= 2 * len(MEASURED_ROWS)
    assert not trial.go_on()


def test_a_trial_leaves_nothing_behind_and_touches_no_other_sequence(context: Context) -> None:
    read(context, 40, sequence=0)
    before = [bytes(context.save(sequence)) for sequence in (0, SEQUENCE)]
    trial = PassTrial(context, sequence=SEQUENCE)
    while trial.go_on():
        assert bytes(context.save(SEQUENCE)) == before[1]
    assert [bytes(context.save(sequence)) for sequence in (0, SEQUENCE)] == before


def test_a_trial_that_finds_no_room_ends_without_a_result(tmp_path: Path) -> None:
    config = ModelConfig(
        path=write_llama(tmp_path / "model.gguf"), name="tiny", context_tokens=256, threads=1
    )
    with ExitStack() as stack:
        context = Context(Model(config, stack=stack), stack=stack)
        read(context, context.capacity_tokens, sequence=0)
        trial = PassTrial(context, sequence=SEQUENCE)
        assert not trial.go_on()
        context.remove(0)
        assert not trial.go_on()
        assert trial.result is None
