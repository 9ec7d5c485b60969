from __future__ import annotations

from collections.abc import Sequence

from tests.agents.context.conversations import INSTRUCTIONS, called, talk, user, words

from smallhold.agents.context.budget import ContextBudget
from smallhold.agents.context.compacting import Compacted, Compactor
from smallhold.agents.context.counting import TokenCounts
from smallhold.agents.context.exchanges import split_exchanges
from smallhold.agents.context.fitted import DropKind
from smallhold.agents.context.notes import Notes, notes_exchange, read_notes
from smallhold.exceptions import DecodeError
from smallhold.generation import Prompt
from smallhold.messages import Message
from smallhold.testing import Entry, Fault, ScriptedRuntime

NOTES = Notes(user=("my order 1000",), summary="The customer waits.")


async def compacted(
    history: Sequence[Message],
    *script: Entry,
    room_tokens: int,
    context_tokens: int = 400,
    settings: ContextBudget | None = None,
) -> tuple[Compacted, ScriptedRuntime]:
    """Compact a history that stands alone in its prompt, with a quarter of the window for facts."""
    runtime = ScriptedRuntime(script, context_tokens=context_tokens)
    chosen = settings or ContextBudget(facts=0.25, summary=20)
    compactor = Compactor(
        runtime=runtime,
        counts=TokenCounts(runtime),
        settings=chosen,
        budget=chosen.resolved(context_tokens=context_tokens, max_tokens=10),
        instructions=(INSTRUCTIONS,),
        length_of=lambda messages: runtime.count_tokens(Prompt(messages=tuple(messages))),
    )
    now_tokens = await runtime.count_tokens(Prompt(messages=tuple(history)))
    done = await compactor.compacted(
        split_exchanges(history),
        now_tokens=now_tokens,
        room_tokens=room_tokens,
        limit_tokens=room_tokens,
    )
    return done, runtime


async def test_old_exchanges_become_a_summary_and_facts() -> None:
    done, _ = await compacted(talk(6), "The customer asks for orders.", room_tokens=150)
    notes = read_notes(done.history[:2])
    assert notes is not None
    assert notes.summary == "The customer asks for orders."
    assert "my order 1001" in notes.user
    assert done.history[2:] == talk(1, first=6)
    assert {one.kind for one in done.dropped} == {DropKind.TURN_SUMMARISED}
    assert sum(one.messages for one in done.dropped) == 10
    assert done.usage.passes > 0


async def test_the_summary_is_asked_for_with_the_conversation_as_it_was() -> None:
    _, runtime = await compacted(talk(6), "Orders.", room_tokens=150)
    (request,) = runtime.requests
    assert request.prompt.messages[:-1] == (INSTRUCTIONS, *talk(5))
    assert request.max_tokens == 20


async def test_earlier_notes_are_read_by_the_model_and_their_facts_stay() -> None:
    history = (*notes_exchange(NOTES), *talk(6))
    done, runtime = await compacted(history, "All is open.", room_tokens=170)
    assert runtime.requests[0].prompt.messages[1:3] == notes_exchange(NOTES)
    notes = read_notes(done.history[:2])
    assert notes is not None
    assert notes.user[:2] == ("my order 1000", "my order 1001")
    assert notes.summary == "All is open."


async def test_where_leaving_out_results_is_enough_the_model_is_not_asked() -> None:
    history = (user("Where?"), *called("look", words(200)), *talk(1))
    done, runtime = await compacted(history, room_tokens=120)
    assert [(one.kind, one.what, one.tokens) for one in done.dropped] == [
        (DropKind.RESULT_LEFT_OUT, "look", 200)
    ]
    assert runtime.requests == []
    assert len(done.history) == len(history)


async def test_earlier_notes_stay_as_they_are_while_no_exchange_goes() -> None:
    history = (*notes_exchange(NOTES), user("Where?"), *called("look", words(200)))
    done, _ = await compacted(history, room_tokens=150)
    assert done.history[:2] == notes_exchange(NOTES)


async def test_a_failing_summary_leaves_the_facts_and_says_why() -> None:
    fault = Fault(error=DecodeError(problem="no"))
    done, _ = await compacted((*notes_exchange(NOTES), *talk(6)), fault, room_tokens=170)
    notes = read_notes(done.history[:2])
    assert notes is not None
    assert notes.summary == NOTES.summary
    assert "my order 1005" in notes.user
    assert {(one.kind, one.reason) for one in done.dropped} == {
        (DropKind.TURN_REDUCED, "the summary failed: DecodeError")
    }


async def test_without_summaries_the_model_is_never_asked() -> None:
    settings = ContextBudget(facts=0.25, summarises=False)
    done, runtime = await compacted(talk(6), room_tokens=150, settings=settings)
    assert runtime.requests == []
    assert {(one.kind, one.reason) for one in done.dropped} == {(DropKind.TURN_REDUCED, "")}


async def test_what_is_too_long_for_one_summary_is_left_to_the_facts() -> None:
    done, runtime = await compacted(talk(20), "Late orders.", room_tokens=120, context_tokens=160)
    assert await runtime.count_tokens(runtime.requests[0].prompt) < 160
    kinds = [one.kind for one in done.dropped if one.messages]
    assert kinds == sorted(kinds)  # reduced, then summarised
    assert {DropKind.TURN_REDUCED, DropKind.TURN_SUMMARISED} == set(kinds)
    assert done.dropped[0].reason == "too long to be summarised at once"


async def test_facts_without_room_are_named() -> None:
    settings = ContextBudget(facts=6, summary=20)
    done, _ = await compacted(talk(6), "Orders.", room_tokens=150, settings=settings)
    lost = [one for one in done.dropped if one.kind is DropKind.FACTS]
    assert [one.what for one in lost] == ["my order 1001 | my order 1002 | my order 1003"]


async def test_where_not_even_notes_fit_all_goes_and_all_is_named() -> None:
    done, _ = await compacted(talk(3), room_tokens=4)
    assert done.history == ()
    assert sum(one.messages for one in done.dropped) == 6
    assert done.dropped[-1].kind is DropKind.FACTS
    assert done.dropped[0].reason == "no room for notes"


async def test_notes_alone_are_shortened_too() -> None:
    notes = Notes(user=tuple(f"order {number}" for number in range(1000, 1100)))
    done, _ = await compacted(notes_exchange(notes), room_tokens=100)
    kept = read_notes(done.history)
    assert kept is not None
    assert kept.user == notes.user[-len(kept.user) :]
    assert [one.kind for one in done.dropped] == [DropKind.FACTS]
