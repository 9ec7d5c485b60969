from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.recalling import Recall, with_passages
from smallhold.exceptions import ConfigError
from smallhold.messages import Message, Role
from smallhold.state.recall import Passage, TokenCounter, fit


async def words(text: str) -> int:
    return len(text.split())


@dataclass(frozen=True)
class Shelf:
    """Knows some texts, whatever is asked; takes as many as there is room for."""

    texts: tuple[str, ...]

    async def recall(
        self, text: str, *, session: str | None, limit_tokens: int, count_tokens: TokenCounter
    ) -> tuple[Passage, ...]:
        del text, session
        fitting = await fit(self.texts, limit_tokens=limit_tokens, count_tokens=count_tokens)
        return tuple(
            Passage(text=self.texts[number], source="shelf", score=1.0) for number in fitting.chosen
        )


def said(role: Role, text: str) -> Message:
    return Message(role=role, content=text)


def passage(text: str) -> Passage:
    return Passage(text=text, source="s", score=1.0)


async def test_what_is_known_is_gathered_in_order() -> None:
    recall = Recall(recallers=(Shelf(("a b",)), Shelf(("c",))))
    found = await recall.passages("?", session=None, count_tokens=words)
    assert [one.text for one in found] == ["a b", "c"]


async def test_room_that_one_leaves_is_for_the_next() -> None:
    recall = Recall(recallers=(Shelf(("a",)), Shelf(("b c d e f g h i",))), limit_tokens=9)
    found = await recall.passages("?", session=None, count_tokens=words)
    assert [one.text for one in found] == ["a", "b c d e f g h i"]


@given(
    shelves=st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=3),
    limit_tokens=st.integers(1, 30),
)
async def test_the_room_is_never_exceeded(shelves: list[list[int]], limit_tokens: int) -> None:
    recallers = tuple(Shelf(tuple("w " * size for size in sizes)) for sizes in shelves)
    recall = Recall(recallers=recallers, limit_tokens=limit_tokens)
    found = await recall.passages("?", session=None, count_tokens=words)
    assert sum([await words(one.text) for one in found]) <= limit_tokens


def test_passages_stand_with_the_latest_message_and_change_no_other() -> None:
    conversation = (
        said(Role.USER, "Hi"), said(Role.ASSISTANT, "Hello"), said(Role.USER, "Open today?"),
        said(Role.ASSISTANT, ""),
    )  # fmt: skip
    shown = with_passages(conversation, (passage("Mondays closed."), passage("Open from 9.")))
    assert shown[:2] == conversation[:2]
    assert shown[3:] == conversation[3:]
    assert shown[2].content == ("What is known:\nMondays closed.\nOpen from 9.\n\nOpen today?")


def test_without_passages_nothing_changes() -> None:
    conversation = (said(Role.USER, "Hi"),)
    assert with_passages(conversation, ()) == conversation
    assert with_passages((), (passage("x"),)) == ()


def test_a_recall_needs_something_to_look_in_and_room() -> None:
    with pytest.raises(ConfigError, match="recall"):
        Recall(recallers=())
    with pytest.raises(ConfigError, match="at least 1"):
        Recall(recallers=(Shelf(()),), limit_tokens=0)
