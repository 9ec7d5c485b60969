from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.agents.context.conversations import (
    INSTRUCTIONS,
    answer,
    called,
    prompt_of,
    talk,
    tool,
    user,
    words,
)

from smallhold.agents.context.counting import TokenCounts, as_it_is
from smallhold.generation import Prompt
from smallhold.messages import Message
from smallhold.testing import ScriptedRuntime


class CountedRuntime(ScriptedRuntime):
    """A scripted runtime whose template puts three words around each message."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = 0

    async def count_tokens(self, prompt: Prompt) -> int:
        self.counts += 1
        return await super().count_tokens(prompt) + 3 * len(prompt.messages)


async def test_a_text_is_counted_without_what_the_template_puts_around_it() -> None:
    counts = TokenCounts(CountedRuntime())
    assert await counts.text("three words here") == 3
    assert await counts.text("") == 0


async def test_a_text_is_counted_once() -> None:
    runtime = CountedRuntime()
    counts = TokenCounts(runtime)
    await counts.text("first")
    asked = runtime.counts
    assert await counts.text("first") == 1
    assert runtime.counts == asked


async def test_a_message_is_counted_with_its_calls() -> None:
    counts = TokenCounts(ScriptedRuntime())
    call, result = called("look", "it is here", place="on the shelf")
    assert await counts.message(call) == len(["look", '{"place":', '"on', "the", 'shelf"}'])
    assert await counts.message(result) == 3


async def test_the_parts_of_a_prompt_add_up_to_it() -> None:
    runtime = CountedRuntime()
    examples = talk(2)
    prompt = Prompt(
        messages=(INSTRUCTIONS, *examples, *called("look", words(7)), user("Where?")),
        tools=(tool("look", description_words=50),),
        fixed_messages=len(examples),
    )
    parts = await TokenCounts(runtime).parts(prompt, form=as_it_is)
    assert parts.total == await runtime.count_tokens(prompt)
    without_tools = await runtime.count_tokens(replace(prompt, tools=()))
    assert parts.tools == parts.total - without_tools > 50
    assert parts.form == 2 * 3
    assert parts.instructions == len(INSTRUCTIONS.content.split())
    assert parts.examples == sum(len(one.content.split()) + 3 for one in examples)


@given(texts=st.lists(st.sampled_from(["one", "two words", words(9)]), min_size=1, max_size=5))
async def test_parts_that_are_not_there_count_nothing(texts: list[str]) -> None:
    messages = [turn for text in texts for turn in (user(text), answer(text))]
    parts = await TokenCounts(ScriptedRuntime()).parts(prompt_of(messages), form=as_it_is)
    assert (parts.form, parts.tools, parts.examples) == (0, 0, 0)
    assert parts.instructions == len(INSTRUCTIONS.content.split())
    assert parts.conversation == sum(len(message.content.split()) for message in messages)


async def test_a_text_that_cannot_be_encoded_is_counted_all_the_same() -> None:
    lone: Message = replace(user("x"), content="\ud800 and more")
    assert await TokenCounts(ScriptedRuntime()).message(lone) == 3
