from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents import Agent, Config
from smallhold.agents.notes import notes_of
from smallhold.agents.recalling import Recall, with_passages
from smallhold.exceptions import ConfigError
from smallhold.messages import Message, Role
from smallhold.state.recall import Passage, TokenCounter, fit
from smallhold.testing import NATIVE, ScriptedRuntime, call


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


HOURS = "The desk is open from 9 to 17 on weekdays."


def desk(runtime: ScriptedRuntime, *, state: str | None = None) -> Agent:
    return Agent(
        Config(name="desk"),
        runtime=runtime,
        recall=Shelf((HOURS, "Dogs wait outside.")),
        state=state,
    )


async def test_an_agent_reads_what_is_known_and_cites_what_it_used() -> None:
    runtime = ScriptedRuntime(["The desk is open from 9 to 17 on weekdays. Have a nice day!"])
    result = await desk(runtime).run("When are you open?")
    (request,) = runtime.requests
    assert request.prompt.messages[-1].content == (
        f"What is known:\n{HOURS}\nDogs wait outside.\n\nWhen are you open?"
    )
    (citation,) = result.citations
    assert result.text[citation.start : citation.end] == HOURS
    assert citation.source == "shelf"
    assert "source: shelf" in notes_of(result)


async def test_the_conversation_does_not_hold_what_was_recalled() -> None:
    runtime = ScriptedRuntime(["From 9.", "Outside."])
    agent = desk(runtime)
    await agent.run("When are you open?", session="s")
    await agent.run("And dogs?", session="s")
    first, second = (request.prompt for request in runtime.requests)
    assert first.messages[-1].content.startswith("What is known:")
    assert second.messages[1].content == "When are you open?"
    assert second.messages[-1].content.startswith("What is known:")


async def test_an_agent_with_tools_answers_from_what_is_known_instead_of_giving_up() -> None:
    runtime = ScriptedRuntime([call("cannot_do"), HOURS])
    agent = desk(runtime)

    @agent.tool
    def order_status(order_id: str) -> str:
        """Look up an order."""
        return order_id

    assert order_status
    result = await agent.run("When are you open?")
    assert result.text == HOURS


async def test_a_finished_run_that_is_resumed_tells_its_citations_again(tmp_path: Path) -> None:
    agent = desk(ScriptedRuntime([HOURS]), state=str(tmp_path / "state.db"))
    result = await agent.run("When are you open?", session="s")
    assert result.run_id is not None
    again = await agent.resume(result.run_id)
    assert again.citations == result.citations != ()
    await agent.aclose()


async def test_what_is_known_stays_with_the_question_while_an_answer_is_mended() -> None:
    runtime = ScriptedRuntime(["no number", "9"], capabilities=NATIVE)
    result = await desk(runtime).run("When do you open?", output_type=int)
    assert result.output == 9
    mended = runtime.requests[-1].prompt.messages
    known = [message for message in mended if "What is known:" in message.content]
    assert ["When do you open?" in message.content for message in known] == [True]
