from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.tiny_models import write_llama, write_recurrent

from smallhold.engine.batch import linear_batch
from smallhold.engine.canary_program import CANARY_PRIORITY, canary
from smallhold.engine.config import ModelConfig
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.program import Mode, Step
from smallhold.engine.wire import Alive, Reply
from smallhold.generation import Priority


@pytest.fixture(scope="module", params=[write_llama, write_recurrent])
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LoadedModel]:
    path: Path = request.param(tmp_path_factory.mktemp("model") / "tiny.gguf")
    with ExitStack() as stack:
        config = ModelConfig(path=path, name="tiny", context_tokens=256, threads=1)
        yield LoadedModel(config, stack=stack)


def step_of(program_value: object) -> Step:
    assert isinstance(program_value, Step)
    return program_value


def test_a_canary_computes_one_token_and_says_so(loaded: LoadedModel) -> None:
    replies: list[Reply] = []
    program = canary(loaded, emit=replies.append)
    step = step_of(next(program))
    assert len(step.batch) == 1
    assert not replies
    loaded.context.decode(step.batch, step.mode)
    with pytest.raises(StopIteration):
        program.send(loaded.context.outputs(0))
    (reply,) = replies
    assert isinstance(reply, Alive)
    assert reply.pass_s > 0


def test_one_canary_leaves_nothing_for_the_next_to_stumble_over(loaded: LoadedModel) -> None:
    for _ in range(3):
        program = canary(loaded, emit=lambda _: None)
        step = step_of(next(program))
        loaded.context.decode(step.batch, step.mode)
        program.close()
    # A sequence that held a token already would refuse another one at its first position.
    batch = linear_batch([1], start=0, sequence=loaded.canary_sequence, outputs=1)
    loaded.context.decode(batch, Mode())
    loaded.context.remove(loaded.canary_sequence)


def test_a_canary_goes_before_every_request_of_a_caller() -> None:
    assert min(Priority) > CANARY_PRIORITY
