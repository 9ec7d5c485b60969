from __future__ import annotations

import pytest
from tests.state.memory.conftest import count_words

from smallhold.state.memory import Memory, MemoryRecaller
from smallhold.state.recall import Recaller, joined

CUSTOMERS = {"kiosk-7": "ann", "kiosk-8": "bob"}


@pytest.fixture
async def recaller(memory: Memory) -> Recaller:
    await memory.remember("ann", "drink", "green tea")
    await memory.remember("bob", "drink", "coffee")
    return MemoryRecaller(memory, subject_of=lambda session: CUSTOMERS.get(session or ""))


async def test_a_session_is_reminded_of_its_own_user_only(recaller: Recaller) -> None:
    found = await recaller.recall(
        "what does bob drink?", session="kiosk-7", limit_tokens=50, count_tokens=count_words
    )
    assert joined(found) == "drink: green tea"


@pytest.mark.parametrize("session", [None, "kiosk-9"])
async def test_nobody_known_is_reminded_of_nothing(recaller: Recaller, session: str | None) -> None:
    found = await recaller.recall(
        "coffee", session=session, limit_tokens=50, count_tokens=count_words
    )
    assert found == ()


async def test_passages_stay_within_their_budget(recaller: Recaller) -> None:
    found = await recaller.recall(
        "tea", session="kiosk-7", limit_tokens=2, count_tokens=count_words
    )
    assert found == ()


async def test_one_subject_serves_all_sessions(memory: Memory) -> None:
    await memory.remember("the shop", "opens", "at nine")
    recaller = MemoryRecaller(memory, subject_of="the shop")
    found = await recaller.recall("when?", session=None, limit_tokens=50, count_tokens=count_words)
    assert joined(found) == "opens: at nine"
