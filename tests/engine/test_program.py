from __future__ import annotations

from smallhold.engine.batch import linear_batch
from smallhold.engine.program import Mode, Step


def test_requests_that_want_the_same_share_a_mode() -> None:
    assert Mode(adapter="legal") == Mode(adapter="legal")


def test_another_adapter_or_another_kind_of_output_is_another_mode() -> None:
    modes = {
        Mode(),
        Mode(adapter="legal"),
        Mode(wants_hidden=True),
        Mode(adapter="legal", wants_hidden=True),
    }
    assert len(modes) == 4


def test_a_step_begins_with_nothing_evaluated_and_is_taken_whole() -> None:
    step = Step(batch=linear_batch([1], start=0, sequence=0, outputs=1), mode=Mode())
    assert (step.done_tokens, step.passes, step.is_divisible) == (0, 0, False)
