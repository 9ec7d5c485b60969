from __future__ import annotations

from dataclasses import replace

import pytest

from smallhold.agents import Agent, Config, Ending, Result
from smallhold.agents.context import DropKind, Dropped
from smallhold.agents.guardrails import Flag, Outcome, Stage
from smallhold.agents.notes import notes_of
from smallhold.messages import DoneEvent, Timing, Usage
from smallhold.testing import ScriptedRuntime


def result(
    ending: Ending, *, dropped: tuple[Dropped, ...] = (), flags: tuple[Flag, ...] = ()
) -> Result[object]:
    return Result(
        text="Yes.",
        ending=ending,
        steps=(),
        usage=Usage(),
        timing=Timing(),
        dropped=dropped,
        flags=flags,
    )


@pytest.mark.parametrize("ending", [Ending.ANSWERED, Ending.ASKED, Ending.CANNOT])
def test_a_plain_end_needs_no_note(ending: Ending) -> None:
    assert notes_of(result(ending)) == ()


@pytest.mark.parametrize("ending", [Ending.STEP_LIMIT, Ending.ANSWER_CUT, Ending.BLOCKED])
def test_an_end_without_an_answer_is_noted(ending: Ending) -> None:
    assert notes_of(result(ending)) == (f"ended: {ending.value}",)


def test_a_smaller_model_in_the_agents_own_place_is_noted() -> None:
    (note,) = notes_of(replace(result(Ending.ANSWERED), degraded=True))
    assert "smaller model" in note


def test_what_was_left_out_and_what_guardrails_did_is_noted() -> None:
    notes = notes_of(
        result(
            Ending.ANSWERED,
            dropped=(Dropped(kind=DropKind.RESULT_CUT, what="read_page", tokens=1_200),),
            flags=(
                Flag(guardrail="topics", stage=Stage.OUTPUT, outcome=Outcome.FLAG, reason="plums"),
            ),
        )
    )
    assert notes == (
        "left out: read_page (result_cut, 1,200 tokens)",
        "flag by topics at output: plums",
    )


async def test_the_end_of_a_stream_has_the_notes() -> None:
    runtime = ScriptedRuntime(["one two three"])
    agent = Agent(Config(name="plain", max_tokens=2), runtime=runtime)
    *_, done = [event async for event in agent.stream("Count")]
    assert isinstance(done, DoneEvent)
    assert done.notes == ("ended: answer_cut",)
