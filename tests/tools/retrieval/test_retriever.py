"""Promises of `smallhold.tools.retrieval.retriever`: this file holds tests of finding tools."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import stored_model

from smallhold.exceptions import ConfigError, ToolDefinitionError
from smallhold.generation import Embedding, EmbedRequest
from smallhold.messages import JsonObject, ToolSchema, Usage
from smallhold.runtimes.sentences import SentenceEmbedder
from smallhold.testing.bag_of_words import bag_of_words
from smallhold.tools.retrieval import DescribedTool, ToolRetriever

PARAMETERS: JsonObject = {"type": "object", "properties": {}}


def described(name: str, description: str, *examples: str) -> DescribedTool:
    schema = ToolSchema(name=name, description=description, parameters=PARAMETERS)
    return DescribedTool(schema=schema, examples=examples)


TOOLS = (
    described("getWeather", "Tell the weather in a city"),
    described("bookFlight", "Reserve a seat on a plane"),
    described("playSong", "Play a piece of music"),
    described("convertCurrency", "Change an amount of money"),
    described("orderStatus", "Look up an order", "where is my parcel?", "has it been shipped?"),
)


class Hashing:
    """Embeds a text by the words in it, and counts its requests."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def embed(self, request: EmbedRequest) -> Embedding:
        return Embedding(vector=bag_of_words(request.prompt), usage=Usage())

    async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        self.batches.append(len(texts))
        await anyio.lowlevel.checkpoint()
        return tuple((float(len(text)), *[0.0] * 63) for text in texts)


async def names(retriever: ToolRetriever, text: str, *, limit: int) -> list[str]:
    return [tool.name for tool in await retriever.rank(text, limit=limit)]


async def test_words_alone_find_a_tool() -> None:
    assert await names(ToolRetriever(TOOLS), "What's the weather in Oslo?", limit=1) == [
        "getWeather"
    ]


async def test_words_of_an_example_find_its_tool() -> None:
    assert await names(ToolRetriever(TOOLS), "Has my parcel left?", limit=1) == ["orderStatus"]


async def test_each_wish_of_a_message_finds_its_tool() -> None:
    text = "Play some music please. Then reserve a seat to Rome. What does the weather say?"
    found = await names(ToolRetriever(TOOLS), text, limit=3)
    assert sorted(found) == ["bookFlight", "getWeather", "playSong"]


async def test_retrieved_tools_are_in_their_own_order_whatever_the_message() -> None:
    retriever = ToolRetriever(TOOLS)
    one = await retriever.retrieve("Play music. Tell the weather.", limit=2)
    other = await retriever.retrieve("Tell the weather. Play music.", limit=2)
    assert [tool.name for tool in one] == ["getWeather", "playSong"]
    assert [tool.name for tool in other] == ["getWeather", "playSong"]


async def test_the_same_message_gets_the_same_scores() -> None:
    one, other = ToolRetriever(TOOLS), ToolRetriever(TOOLS)
    text = "Book a flight and play a song."
    assert await one.rank(text, limit=5) == await other.rank(text, limit=5)


async def test_as_many_tools_come_back_as_were_asked_for() -> None:
    # A message in another language shares no word; hiding all tools would decide for the model.
    assert len(await ToolRetriever(TOOLS).retrieve("¿Dónde está?", limit=3)) == 3
    assert len(await ToolRetriever(TOOLS).retrieve("weather", limit=50)) == 5


async def test_no_tools_give_no_result() -> None:
    assert await ToolRetriever().retrieve("weather", limit=3) == ()


async def test_a_tool_added_later_is_found() -> None:
    retriever = ToolRetriever(TOOLS)
    assert "sendMail" not in await names(retriever, "send mail to Ann", limit=5)
    retriever.add(described("sendMail", "Send mail to somebody"))
    assert len(retriever) == 6
    assert await names(retriever, "send mail to Ann", limit=1) == ["sendMail"]


async def test_tools_are_embedded_once_and_all_together() -> None:
    embedder = Hashing()
    retriever = ToolRetriever(TOOLS, embedder=embedder)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(lambda: names(retriever, "weather", limit=1))
    assert embedder.batches == [7]
    retriever.add(described("sendMail", "Send mail", "write to Ann"))
    await names(retriever, "weather", limit=1)
    assert embedder.batches == [7, 2]


async def test_a_reading_that_is_cancelled_is_done_again() -> None:
    class Slow(Hashing):
        async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
            if not self.batches:
                self.batches.append(len(texts))
                await anyio.sleep_forever()
            return await super().embed_texts(texts)

    embedder = Slow()
    retriever = ToolRetriever(TOOLS, embedder=embedder)
    with anyio.move_on_after(0.01):
        await retriever.rank("weather", limit=1)
    assert len(await retriever.rank("weather", limit=5)) == 5
    assert embedder.batches == [7, 7]


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ToolDefinitionError, match="same name"):
        ToolRetriever([TOOLS[0], TOOLS[0]])


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ConfigError, match="limit"):
        await ToolRetriever(TOOLS).retrieve("weather", limit=limit)


async def test_five_hundred_tools_are_no_obstacle() -> None:
    many = [described(f"tool_{number}", f"Handle case {number}") for number in range(500)]
    assert await names(ToolRetriever(many), "Please handle case 321", limit=1) == ["tool_321"]


async def test_meaning_finds_what_words_miss() -> None:
    embedder = SentenceEmbedder(stored_model("all-minilm-l6-v2"))
    retriever = ToolRetriever(TOOLS, embedder=embedder)
    assert await names(retriever, "Will it rain in Oslo tomorrow?", limit=1) == ["getWeather"]
    assert await names(retriever, "How many euros are 20 dollars?", limit=1) == ["convertCurrency"]


@given(text=st.text(max_size=100), limit=st.integers(1, 7))
def test_any_message_gets_tools_with_scores_from_0_to_1(text: str, limit: int) -> None:
    async def rank() -> None:
        found = await ToolRetriever(TOOLS).rank(text, limit=limit)
        assert len({tool.name for tool in found}) == min(limit, len(TOOLS))
        assert all(0 <= tool.score <= 1 for tool in found)
        assert [tool.score for tool in found] == sorted(
            (tool.score for tool in found), reverse=True
        )

    anyio.run(rank)
