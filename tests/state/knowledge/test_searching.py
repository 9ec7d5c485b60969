from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import stored_model
from tests.state.knowledge.conftest import BagEmbedder, write

from smallhold.exceptions import ConfigError
from smallhold.runtimes.sentence_models import DEFAULT_SENTENCE_MODEL
from smallhold.runtimes.sentences import SentenceEmbedder
from smallhold.state import State
from smallhold.state.knowledge import Hit, Knowledge, KnowledgeSettings, Reading
from smallhold.state.knowledge.searching import QUESTION_MAX_CHARS


class Backwards:
    """Puts what was found last first."""

    async def scores(self, question: str, hits: Sequence[Hit]) -> Sequence[float]:
        del question
        return [float(place) for place in range(len(hits))]


async def test_the_same_text_in_two_documents_is_found_once(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    for name in ("a.txt", "b.txt"):
        write(tmp_path / name, "Beans are roasted on Mondays.")
        await knowledge.add(tmp_path / name)
    assert len(await knowledge.search("beans")) == 1


async def test_a_reranker_has_the_last_word(
    state: State, embedder: BagEmbedder, shop: Path
) -> None:
    plain = Knowledge(state, embedder=embedder)
    await plain.add(shop)
    hits = await plain.search("opening hours of the shop", limit=3)
    turned = Knowledge(state, embedder=embedder, reranker=Backwards())
    assert await turned.search("opening hours of the shop", limit=3) == hits[::-1]


async def test_the_real_sentence_model_finds_what_shares_no_word(state: State, shop: Path) -> None:
    embedder = SentenceEmbedder(stored_model(DEFAULT_SENTENCE_MODEL))
    knowledge = Knowledge(state, embedder=embedder)
    await knowledge.add(shop)
    (hit, *_) = await knowledge.search("how do I clean the coffee maker?")
    assert hit.source.endswith("espresso.txt")
    assert hit.coverage == 0
    (hit, *_) = await knowledge.search("can I get my money back?")
    assert hit.headings[-1] == "Returns"


async def test_a_limit_below_one_is_refused(knowledge: Knowledge) -> None:
    with pytest.raises(ConfigError, match="limit"):
        await knowledge.search("x", limit=0)


async def test_meaning_alone_needs_an_embedder(state: State, shop: Path) -> None:
    knowledge = Knowledge(state, settings=KnowledgeSettings(reading=Reading.WORDS))
    await knowledge.add(shop)
    with pytest.raises(ConfigError, match="sentence model"):
        await knowledge.search("x", reading=Reading.MEANING)


async def test_an_empty_question_finds_nothing(knowledge: Knowledge, shop: Path) -> None:
    await knowledge.add(shop)
    assert await knowledge.search("  \n") == ()


async def test_of_a_long_message_beginning_and_end_are_searched(
    knowledge: Knowledge, embedder: BagEmbedder, shop: Path
) -> None:
    await knowledge.add(shop)
    hits = await knowledge.search("receipt " + "x" * 100_000 + " receipt")
    assert hits[0].headings[-1] == "Returns"
    assert len(embedder.texts[-1]) <= QUESTION_MAX_CHARS + 1
