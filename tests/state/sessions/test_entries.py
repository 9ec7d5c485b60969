from __future__ import annotations

from dataclasses import replace

import pytest

from smallhold.state.sessions import Run, RunStatus

RUN = Run(
    id="r", session="s", status=RunStatus.RUNNING, epoch=1, first_seq=1, started_s=1, updated_s=1
)


def test_a_running_run_that_nobody_works_on_is_interrupted() -> None:
    assert RUN.is_interrupted
    assert not replace(RUN, is_live=True).is_interrupted


@pytest.mark.parametrize("status", set(RunStatus) - {RunStatus.RUNNING})
def test_a_run_that_waits_or_is_over_is_not_interrupted(status: RunStatus) -> None:
    assert not replace(RUN, status=status).is_interrupted
