from __future__ import annotations

import time

import anyio
import pytest

from smallhold.agents.deadline import Deadline
from smallhold.exceptions import DeadlineExceededError


async def five() -> int:
    return 5


async def test_work_within_the_time_gives_its_value() -> None:
    assert await Deadline(limit_s=60).within(five()) == 5


async def test_work_beyond_the_time_is_stopped() -> None:
    deadline = Deadline(limit_s=0.02)
    with pytest.raises(DeadlineExceededError, match=r"0\.02 s"):
        await deadline.within(anyio.sleep(60))
    with pytest.raises(DeadlineExceededError):
        await deadline.within(anyio.sleep(0.01))


async def test_an_error_of_the_work_itself_passes_through() -> None:
    async def fail() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await Deadline(limit_s=60).within(fail())


def test_time_is_counted_from_the_beginning() -> None:
    assert Deadline(limit_s=1, started_s=time.monotonic() - 5).passed_s >= 5
