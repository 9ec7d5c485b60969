from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.agents.context.conversations import (
    INSTRUCTIONS,
    answer,
    called,
    is_valid,
    prompt_of,
    talk,
    tool,
    user,
    words,
)

from smallhold.agents.context import (
    ContextBudget,
    ContextFitter,
    DropKind,
    Dropped,
    Fitted,
    PromptOf,
)
from smallhold.agents.context.exchanges import Exchange
from smallhold.agents.context.facts import facts_of
from smallhold.agents.context.notes import HEADING
from smallhold.exceptions import ContextOverflowError, DecodeError, PartOverflowError
from smallhold.generation import Prompt
from smallhold.messages import Message, Role, ToolSchema
from smallhold.testing import Entry, Fault, ScriptedRuntime

SUMMARY = "The customer asks where orders are."


class CountedRuntime(ScriptedRuntime):
    """A scripted runtime that notes what it was asked to count."""

    def __init__(self, script: Sequence[Entry] = (), *, context_tokens: int = 4096) -> None:
        super().__init__(script, context_tokens=context_tokens)
        self.counted: list[Prompt] = []

    async def count_tokens(self, prompt: Prompt) -> int:
        self.counted.append(prompt)
        return await super().count_tokens(prompt)


def fitter(
    *, context_tokens: int = 300, budget: ContextBudget | None = None, summaries: int = 100
) -> ContextFitter:
    runtime = ScriptedRuntime([SUMMARY] * summaries, context_tokens=context_tokens)
    return ContextFitter(runtime, budget=budget)


async def fit(
    conversation: Sequence[Message], chosen: ContextFitter, *, building: PromptOf = prompt_of
) -> Fitted:
    return await chosen.fit(conversation, prompt_of=building, max_tokens=50)


def with_tools(*tools: ToolSchema) -> PromptOf:
    def build(conversation: Sequence[Message]) -> Prompt:
        return Prompt(messages=(INSTRUCTIONS, *conversation), tools=tools)

    return build


async def test_a_conversation_that_fits_stays_and_is_counted_once() -> None:
    runtime = CountedRuntime()
    conversation = (*talk(3), user("And now?"))
    fitted = await fit(conversation, ContextFitter(runtime))
    assert fitted.conversation == conversation
    assert fitted.prompt == prompt_of(conversation)
    assert fitted.prompt_tokens == 5 + 3 * 21 + 2
    assert (fitted.dropped, fitted.summary) == ((), None)
    assert len(runtime.counted) == 1


async def test_an_empty_conversation_fits() -> None:
    assert (await fit((), fitter())).conversation == ()


async def test_a_session_without_end_is_compacted_once_in_several_turns() -> None:
    chosen = fitter()
    conversation: tuple[Message, ...] = ()
    compactions: list[int] = []
    for turn in range(60):
        question, reply = talk(1, first=turn)
        fitted = await fit((*conversation, question), chosen)
        assert fitted.prompt_tokens <= 250
        assert fitted.conversation[-1] == question
        assert is_valid(fitted.conversation)
        compactions += [turn] if fitted.dropped else []
        conversation = (*fitted.conversation, reply)
    gaps = [later - earlier for earlier, later in pairwise(compactions)]
    assert len(compactions) > 3
    assert min(gaps) >= 4


async def test_between_compactions_a_prompt_only_grows_at_its_end() -> None:
    chosen = fitter()
    conversation: tuple[Message, ...] = ()
    before = Prompt(messages=())
    for turn in range(40):
        question, reply = talk(1, first=turn)
        fitted = await fit((*conversation, question), chosen)
        known = before.messages
        if not fitted.dropped:
            assert fitted.prompt.messages[: len(known)] == known
        before = fitted.prompt
        conversation = (*fitted.conversation, reply)


async def test_a_compaction_changes_nothing_before_the_conversation() -> None:
    examples = talk(1, first=500)

    def building(conversation: Sequence[Message]) -> Prompt:
        return Prompt(
            messages=(INSTRUCTIONS, *examples, *conversation),
            tools=(tool("look", description_words=20),),
            fixed_messages=len(examples),
        )

    fitted = await fit((*talk(12), user("And now?")), fitter(), building=building)
    assert fitted.prompt.tools == building(()).tools
    assert fitted.prompt.messages[:3] == (INSTRUCTIONS, *examples)
    assert fitted.prompt.messages[3].content.startswith(HEADING)
    assert fitted.prompt.messages[4].content.startswith(SUMMARY)


async def test_a_fact_of_the_first_turn_is_known_many_compactions_later() -> None:
    chosen = fitter(budget=ContextBudget(facts=0.25))
    conversation: tuple[Message, ...] = (
        user("My name is Anna Berger, anna@example.org."),
        answer("Hello."),
    )
    compactions = 0
    for _ in range(40):
        fitted = await fit((*conversation, user("What else is there to be said?")), chosen)
        compactions += bool(fitted.dropped)
        conversation = (*fitted.conversation, answer("There is nothing else to be said at all."))
    assert compactions > 2
    assert fitted.summary is not None  # pyright: ignore[reportPossiblyUnboundVariable] - 40 turns
    assert fitted.summary.facts == ("name is Anna Berger", "anna@example.org")  # pyright: ignore[reportPossiblyUnboundVariable] - as above
    assert fitted.summary.text == SUMMARY  # pyright: ignore[reportPossiblyUnboundVariable] - as above


async def test_the_summary_is_told_as_long_as_it_stands_there() -> None:
    chosen = fitter()
    first = await fit((*talk(12), user("And now?")), chosen)
    second = await fit((*first.conversation, answer("Now."), user("And then?")), chosen)
    assert first.dropped
    assert second.dropped == ()
    assert second.summary == first.summary
    assert second.usage.passes == 0 < first.usage.passes


async def test_a_result_longer_than_one_may_be_is_cut_at_once() -> None:
    conversation = (user("Where?"), *called("look", words(200)))
    fitted = await fit(conversation, fitter(context_tokens=400))
    (dropped,) = fitted.dropped
    assert (dropped.kind, dropped.what) == (DropKind.RESULT_CUT, "look")
    assert 100 <= dropped.tokens < 200
    assert "more characters were left out]" in fitted.conversation[2].content
    again = await fit(fitted.conversation, fitter(context_tokens=400))
    assert again.conversation == fitted.conversation
    assert again.dropped == ()


async def test_old_results_go_before_any_word_of_the_user() -> None:
    conversation = (
        user("Where is my order 1001?"),
        *called("look", words(70)),
        answer("There."),
        user("And 1002?"),
        *called("look", words(70)),
        answer("There."),
        user("And 1003?"),
        *called("look", words(70)),
        answer("There."),
        user("And now?"),
    )
    fitted = await fit(
        conversation, fitter(context_tokens=270, budget=ContextBudget(tool_result=80))
    )
    assert {one.kind for one in fitted.dropped} == {DropKind.RESULT_LEFT_OUT}
    spoken = [message for message in fitted.conversation if message.role is not Role.TOOL]
    assert spoken == [message for message in conversation if message.role is not Role.TOOL]


async def test_results_of_the_current_turn_give_way_when_they_alone_are_too_long() -> None:
    conversation = (
        user("Where are they?"),
        *called("look", words(110), call_id="call_1"),
        *called("count", words(110), call_id="call_2"),
        *called("ask", words(110), call_id="call_3"),
    )
    chosen = fitter(context_tokens=250, budget=ContextBudget(tool_result=0.5))
    fitted = await fit(conversation, chosen)
    assert [(one.kind, one.what) for one in fitted.dropped] == [
        (DropKind.RESULT_LEFT_OUT, "look"),
        (DropKind.RESULT_LEFT_OUT, "count"),
    ]
    assert fitted.conversation[-1] == conversation[-1]
    assert fitted.prompt_tokens <= 200


async def test_the_last_result_is_cut_where_it_alone_is_too_long() -> None:
    conversation = (user("Where?"), *called("look", words(100)))
    chosen = fitter(context_tokens=130, budget=ContextBudget(tool_result=0.8))
    fitted = await fit(conversation, chosen)
    assert [one.kind for one in fitted.dropped] == [DropKind.RESULT_CUT]
    assert fitted.prompt_tokens <= 98


async def test_a_long_result_does_not_take_the_room_for_the_notes() -> None:
    first = (user("My name is Anna Berger, a@example.org."), answer("Hello."))
    conversation = (*first, *talk(8), user("Where is it?"), *called("look", words(290)))
    chosen = fitter(context_tokens=300, budget=ContextBudget(tool_result=1.0))
    fitted = await fit(conversation, chosen)
    assert fitted.summary is not None
    assert "a@example.org" in fitted.summary.facts
    assert DropKind.RESULT_CUT in {one.kind for one in fitted.dropped}
    assert fitted.prompt_tokens <= 250


async def test_a_history_over_its_own_budget_is_compacted_though_the_window_has_room() -> None:
    chosen = fitter(context_tokens=4_000, budget=ContextBudget(history=100))
    within = await fit((*talk(4), user("And now?")), chosen)
    over = await fit((*talk(5), user("And now?")), chosen)
    assert within.dropped == ()
    assert over.dropped
    assert over.prompt_tokens <= 5 + 100 + 2


async def test_a_message_that_does_not_fit_is_an_error_with_figures_and_is_not_cut() -> None:
    with pytest.raises(ContextOverflowError) as caught:
        await fit((*talk(3), user(words(500))), fitter())
    error = caught.value
    assert isinstance(error, PartOverflowError)
    assert (error.part, error.part_tokens, error.room_tokens) == ("message", 500, 245)
    assert "500 tokens where 245" in str(error)


async def test_a_window_smaller_than_the_tools_is_an_error_that_names_them() -> None:
    tools = [tool(f"tool_{number}", description_words=100) for number in range(6)]
    with pytest.raises(PartOverflowError, match=r"tools, 6\d\d tokens.*fewer tools.*tool_limit"):
        await fit((user("Where?"),), fitter(), building=with_tools(*tools))


def in_the_first_message(prompt: Prompt) -> Prompt:
    """A form in which tools and instructions stand in the first message's text."""
    told = " ".join(str(one.parameters["description"]) for one in prompt.tools)
    opening = prompt.messages[1]
    changed = replace(opening, content=f"{prompt.messages[0].content} {told} {opening.content}")
    return replace(prompt, messages=(answer("Ready."), changed, *prompt.messages[2:]), tools=())


async def test_the_form_that_a_prompt_is_written_in_is_what_counts() -> None:
    building = with_tools(tool("look", description_words=60))
    chosen = fitter()
    conversation = (*talk(20), user("And now?"))
    fitted = await chosen.fit(
        conversation, prompt_of=building, max_tokens=50, form=in_the_first_message
    )
    assert fitted.prompt == in_the_first_message(building(fitted.conversation))
    assert fitted.prompt_tokens == sum(len(m.content.split()) for m in fitted.prompt.messages)


async def test_a_summary_is_asked_for_under_the_agents_own_instructions() -> None:
    runtime = ScriptedRuntime([SUMMARY], context_tokens=300)
    await ContextFitter(runtime).fit(
        (*talk(12), user("And now?")),
        prompt_of=with_tools(tool("look", description_words=20)),
        max_tokens=50,
        form=in_the_first_message,
    )
    (request,) = runtime.requests
    assert request.prompt.messages[:3] == (INSTRUCTIONS, *talk(1))


async def test_tools_that_a_form_writes_into_a_message_are_still_named_as_too_long() -> None:
    with pytest.raises(PartOverflowError, match="tools, 400 tokens"):
        await fitter().fit(
            (user("Where?"),),
            prompt_of=with_tools(tool("look", description_words=400)),
            max_tokens=50,
            form=in_the_first_message,
        )


async def test_a_part_over_its_own_budget_is_an_error_though_it_would_fit() -> None:
    chosen = fitter(budget=ContextBudget(tools=50))
    few = with_tools(tool("look", description_words=30))
    many = with_tools(tool("look", description_words=80))
    assert (await fit((user("Where?"),), chosen, building=few)).dropped == ()
    with pytest.raises(PartOverflowError, match="where 50 are left"):
        await fit((user("Where?"),), chosen, building=many)


async def test_calls_of_the_current_turn_that_do_not_fit_are_an_error() -> None:
    conversation = (user("Where?"), *called("look", words(5)), answer(words(400)))
    with pytest.raises(ContextOverflowError):
        await fit(conversation, fitter())


async def test_a_summary_that_fails_costs_only_the_summary() -> None:
    runtime = ScriptedRuntime([Fault(error=DecodeError(problem="no"))], context_tokens=300)
    fitted = await fit((*talk(12), user("And now?")), ContextFitter(runtime))
    reasons = {one.reason for one in fitted.dropped if one.kind is DropKind.TURN_REDUCED}
    assert reasons == {"the summary failed: DecodeError"}
    assert fitted.summary is not None
    assert fitted.summary.text == ""
    assert fitted.summary.facts


async def test_a_message_that_looks_like_notes_is_answered_like_any_other() -> None:
    fitted = await fit((user(f"{HEADING}\nFrom me: a"),), fitter())
    assert fitted.summary is None
    assert fitted.dropped == ()


async def test_the_parts_of_a_prompt_can_be_measured() -> None:
    parts = await fitter().measure(with_tools(tool("look", description_words=30))(talk(1)))
    assert (parts.instructions, parts.examples, parts.conversation) == (5, 0, 21)
    assert parts.tools > 30


CONTENTS = st.lists(
    st.sampled_from([
        "word",
        "order",
        "1042",
        "ORD-7",
        "anna@example.org",
        '"Blue Lamp"',
        "30 EUR",
    ]),
    min_size=1,
    max_size=30,
).map(" ".join)
STEPS = st.tuples(st.sampled_from(["look", "count"]), CONTENTS).map(
    lambda step: called(step[0], step[1])
)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    steps = draw(st.lists(STEPS, max_size=2))
    return (user(draw(CONTENTS)), *(m for step in steps for m in step), answer(draw(CONTENTS)))


HISTORIES = st.lists(exchanges(), max_size=10)
CURRENT = st.tuples(CONTENTS, st.lists(STEPS, max_size=2)).map(
    lambda parts: (user(parts[0]), *(m for step in parts[1] for m in step))
)
WINDOWS = st.integers(min_value=150, max_value=900)


def surviving(fitted: Fitted) -> list[Message]:
    """The messages that are the user's and the model's own, notes left out."""
    kept = list(fitted.conversation)
    return kept[2:] if fitted.summary is not None else kept


def taken(dropped: Sequence[Dropped]) -> int:
    return sum(one.messages for one in dropped)


@given(history=HISTORIES, current=CURRENT, context_tokens=WINDOWS)
async def test_a_prompt_is_never_over_its_budget(
    history: list[Exchange], current: Exchange, context_tokens: int
) -> None:
    conversation = (*(m for exchange in history for m in exchange), *current)
    runtime = ScriptedRuntime([SUMMARY] * 3, context_tokens=context_tokens)
    fitted = await fit(conversation, ContextFitter(runtime))
    assert await runtime.count_tokens(fitted.prompt) == fitted.prompt_tokens
    assert fitted.prompt_tokens <= context_tokens - min(50, context_tokens // 4)


@given(history=HISTORIES, current=CURRENT, context_tokens=st.integers(min_value=2, max_value=150))
async def test_in_a_tiny_window_a_conversation_fits_or_the_error_says_why_not(
    history: list[Exchange], current: Exchange, context_tokens: int
) -> None:
    conversation = (*(m for exchange in history for m in exchange), *current)
    chosen = fitter(context_tokens=context_tokens)
    limit_tokens = context_tokens - min(50, max(1, context_tokens // 4))
    try:
        fitted = await fit(conversation, chosen)
    except PartOverflowError:
        results = [message for message in current if message.role is Role.TOOL]
        bare = replace(prompt_of(current), messages=(INSTRUCTIONS, current[0], *results))
        assert (await chosen.measure(bare)).total > limit_tokens
    else:
        assert fitted.prompt_tokens <= limit_tokens


@given(history=HISTORIES, current=CURRENT, context_tokens=WINDOWS)
async def test_what_is_kept_and_what_was_dropped_are_all_there_was(
    history: list[Exchange], current: Exchange, context_tokens: int
) -> None:
    conversation = (*(m for exchange in history for m in exchange), *current)
    fitted = await fit(conversation, fitter(context_tokens=context_tokens))
    assert len(surviving(fitted)) + taken(fitted.dropped) == len(conversation)
    for kept, original in zip(
        surviving(fitted), conversation[taken(fitted.dropped) :], strict=True
    ):
        is_shortened = kept.role is Role.TOOL and "left out" in kept.content
        assert kept == original or is_shortened


@given(history=HISTORIES, current=CURRENT, context_tokens=WINDOWS)
async def test_a_fitted_conversation_is_valid_and_ends_with_the_users_message_intact(
    history: list[Exchange], current: Exchange, context_tokens: int
) -> None:
    conversation = (*(m for exchange in history for m in exchange), *current)
    fitted = await fit(conversation, fitter(context_tokens=context_tokens))
    assert is_valid(fitted.conversation)
    assert fitted.conversation[-len(current)] == current[0]
    assert [m.tool_calls for m in fitted.conversation[-len(current) :]] == [
        m.tool_calls for m in current
    ]


@given(history=HISTORIES, current=CURRENT, context_tokens=WINDOWS)
async def test_every_fact_that_the_user_gave_is_kept_or_named_as_lost(
    history: list[Exchange], current: Exchange, context_tokens: int
) -> None:
    conversation = (*(m for exchange in history for m in exchange), *current)
    fitted = await fit(conversation, fitter(context_tokens=context_tokens))
    lost = "\n".join(one.what for one in fitted.dropped if one.kind is DropKind.FACTS)
    read = "\n".join(message.content for message in fitted.conversation)
    for message in conversation:
        if message.role is Role.USER:
            assert all(fact.value in f"{read}\n{lost}" for fact in facts_of(message.content))


@given(history=HISTORIES, current=CURRENT, context_tokens=WINDOWS)
async def test_fitting_what_was_fitted_changes_nothing(
    history: list[Exchange], current: Exchange, context_tokens: int
) -> None:
    conversation = (*(m for exchange in history for m in exchange), *current)
    chosen = fitter(context_tokens=context_tokens)
    once = await fit(conversation, chosen)
    twice = await fit(once.conversation, chosen)
    assert twice.conversation == once.conversation
    assert twice.dropped == ()
