"""A memory on every kind of database: this file holds the fixtures."""

from __future__ import annotations

from itertools import count

import pytest
from tests.state.set_clock import SetClock

from smallhold.state import State
from smallhold.state.memory import Memory


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def memory(state: State, clock: SetClock) -> Memory:
    numbers = count(1)
    return Memory(state.rows, clock=clock, new_id=lambda: f"id-{next(numbers):04}")


async def count_words(text: str) -> int:
    """Count tokens for tests."""
    return len(text.split())
