"""Promises of `smallhold.cli.transcript`: this file holds tests of what a conversation shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.agents import Agent, Config
from smallhold.cli.transcript import Transcript, answer_aloud, call_line, result_line
from smallhold.exceptions import InvalidMessageError, WorkerDiedError
from smallhold.messages import ToolCall, ToolResultEvent
from smallhold.testing import ScriptedRuntime, call
from smallhold.testing.scripted import Entry, Fault

if TYPE_CHECKING:
    from tests.cli.conftest import Screen

pytestmark = pytest.mark.anyio


def lamp_stock(name: str) -> dict[str, int]:
    """Count lamps.

    Args:
        name: The lamp's name.
    """
    return {"pieces": len(name)}


def agent(*script: Entry) -> Agent:
    return Agent(Config(name="lamps"), runtime=ScriptedRuntime(script), tools=[lamp_stock])


async def test_call_result_and_answer_are_shown_in_order(screen: Screen) -> None:
    clerk = agent(call("lamp_stock", name="Glimmer"), "We have seven.")
    listener = Transcript(answer=screen.console, notes=screen.console)
    done = await answer_aloud(clerk, "Any Glimmer?", listener=listener)
    assert done.text == "We have seven."
    assert screen.text.splitlines() == [
        '  → lamp_stock(name="Glimmer")',
        '  ← {"pieces":7}',
        "We have seven.",
    ]


async def test_what_the_answer_does_not_say_is_noted_after_it(screen: Screen) -> None:
    notes = type(screen)()
    listener = Transcript(answer=screen.console, notes=notes.console)
    await answer_aloud(agent("I have sent you the catalog."), "Send it", listener=listener)
    assert screen.text == "I have sent you the catalog.\n"
    assert notes.text.startswith("  · flag by unfounded_actions")


async def test_only_the_answer_goes_to_the_answer_s_console(screen: Screen) -> None:
    notes = type(screen)()
    clerk = agent(call("lamp_stock", name="Glimmer"), "We have seven.")
    listener = Transcript(answer=screen.console, notes=notes.console)
    await answer_aloud(clerk, "Any Glimmer?", listener=listener)
    assert screen.text == "We have seven.\n"
    assert "lamp_stock" in notes.text


async def test_markup_and_escapes_of_a_model_are_shown_as_text(screen: Screen) -> None:
    listener = Transcript(answer=screen.console, notes=screen.console)
    await answer_aloud(agent("[red]a[/red] \x1b[2Jb"), "Hi", listener=listener)
    assert screen.text == "[red]a[/red] [2Jb\n"


async def test_an_error_of_the_run_is_raised_after_what_was_said(screen: Screen) -> None:
    fault = Fault(error=WorkerDiedError(model="m", cause="killed"), after_text="We have")
    listener = Transcript(answer=screen.console, notes=screen.console)
    with pytest.raises(WorkerDiedError):
        await answer_aloud(agent(fault), "Hi", listener=listener)
    assert screen.text == "We have\n"


async def test_an_empty_message_is_refused(screen: Screen) -> None:
    listener = Transcript(answer=screen.console, notes=screen.console)
    with pytest.raises(InvalidMessageError):
        await answer_aloud(agent(), "  ", listener=listener)


def test_a_long_call_and_a_long_result_are_one_line_each() -> None:
    wish = ToolCall(id="1", name="f", arguments={"text": "a\nb" * 10_000})
    event = ToolResultEvent(call=wish, content="c\nd" * 10_000, is_error=False)
    for line in (call_line(wish), result_line(event)):
        assert len(line.plain) < 320
        assert "\n" not in line.plain


def test_a_failed_result_looks_different() -> None:
    wish = ToolCall(id="1", name="f", arguments={})
    good, bad = (ToolResultEvent(call=wish, content="x", is_error=e) for e in (False, True))
    assert result_line(good).style != result_line(bad).style
