from __future__ import annotations

import inspect
from pathlib import Path

import anyio
import pytest
from tests.state.knowledge.conftest import BagEmbedder, write
from tests.state.knowledge.small_files import docx_bytes, pdf_bytes, sparse_file

from smallhold.exceptions import (
    DocumentError,
    DocumentFetchError,
    DocumentTooLargeError,
    UnknownDocumentError,
)
from smallhold.state import Database, State
from smallhold.state.knowledge import (
    DocumentFormat,
    Indexed,
    Knowledge,
    KnowledgeSettings,
    Outcome,
    Reading,
)
from smallhold.state.recall import Recaller, joined


async def count_words(text: str) -> int:
    return len(text.split())


async def test_a_folder_of_all_formats_is_read_and_found_with_page_and_heading(
    knowledge: Knowledge, shop: Path
) -> None:
    (shop / "manual.pdf").write_bytes(
        pdf_bytes([["Cover"], ["Network", "Use port 8080."]], bookmarks=[("Network", 1, 2)])
    )
    (shop / "letter.docx").write_bytes(docx_bytes([("Heading 1", "Lease"), ("Normal", "Rent.")]))
    write(shop / "prices.csv", "drink,price\ncocoa,4\n")
    write(shop / "page.html", "<h1>Jobs</h1><p>We look for a baker.</p>")
    done = await knowledge.add(shop)
    assert {one.outcome for one in done} == {Outcome.ADDED}
    assert [known.format for known in await knowledge.documents()] == [
        DocumentFormat.TEXT,
        DocumentFormat.DOCX,
        DocumentFormat.PDF,
        DocumentFormat.HTML,
        DocumentFormat.CSV,
        DocumentFormat.MARKDOWN,
    ]
    places = {
        "which port": "manual.pdf, page 2, Network",
        "rent of the lease": "letter.docx, Lease",
        "cocoa price": "prices.csv, prices",
        "baker": "page.html, Jobs",
        "when are you closed": "shop.md, Shop > Opening hours",
    }
    for question, place in places.items():
        assert (await knowledge.search(question, limit=1))[0].place == place


async def test_files_that_cannot_be_read_do_not_keep_a_folder_out(
    knowledge: Knowledge, shop: Path
) -> None:
    write(shop / "empty.txt", "")
    write(shop / "broken.pdf", "no pdf")
    (shop / "binary.txt").write_bytes(bytes(range(256)))
    sparse_file(shop / "huge.txt", size_bytes=2 << 30)
    told: list[Indexed] = []
    done = await knowledge.add(shop, report=told.append)
    refused = {Path(one.source).name: one.problem for one in done if one.problem}
    assert sorted(refused) == ["binary.txt", "broken.pdf", "empty.txt", "huge.txt"]
    assert "file_max_bytes" in refused["huge.txt"]
    assert "binary data" in refused["binary.txt"]
    assert list(done) == told
    assert len(await knowledge.documents()) == 2


async def test_a_single_file_that_cannot_be_read_is_an_error(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    with pytest.raises(DocumentTooLargeError):
        await knowledge.add(sparse_file(tmp_path / "huge.txt", size_bytes=2 << 30))
    with pytest.raises(DocumentError, match=r"\.jpg"):
        await knowledge.add(write(tmp_path / "a.jpg", "x"))
    with pytest.raises(DocumentError, match="no such file"):
        await knowledge.add(tmp_path / "missing.txt")


async def test_syncing_adds_changes_and_removes(knowledge: Knowledge, shop: Path) -> None:
    await knowledge.sync(shop)
    write(shop / "shop.md", "# Shop\n\nClosed for good.\n")
    (shop / "espresso.txt").unlink()
    write(shop / "new.txt", "Fresh bread on Saturdays.")
    done = {Path(one.source).name: one.outcome for one in await knowledge.sync(shop)}
    assert done == {
        "new.txt": Outcome.ADDED,
        "shop.md": Outcome.CHANGED,
        "espresso.txt": Outcome.REMOVED,
    }
    assert not [hit for hit in await knowledge.search("espresso") if "espresso" in hit.source]


async def test_a_folder_that_is_away_is_no_reason_to_forget_it(
    knowledge: Knowledge, shop: Path
) -> None:
    await knowledge.sync(shop)
    await anyio.Path(shop).rename(shop.with_name("unmounted"))
    with pytest.raises(DocumentError, match="no folder"):
        await knowledge.sync(shop)
    assert len(await knowledge.documents()) == 2


async def test_what_was_removed_is_gone_and_cannot_be_removed_again(
    knowledge: Knowledge, shop: Path
) -> None:
    await knowledge.add(shop)
    (removed,) = await knowledge.remove(shop / "shop.md")
    assert (removed.outcome, removed.chunks) == (Outcome.REMOVED, 2)
    assert [hit.source for hit in await knowledge.search("receipt espresso")] == [
        str(shop / "espresso.txt")
    ]
    with pytest.raises(UnknownDocumentError, match=r"shop\.md"):
        await knowledge.remove(shop / "shop.md")


async def test_processes_see_each_others_changes(
    state: State, embedder: BagEmbedder, shop: Path
) -> None:
    here, there = Knowledge(state, embedder=embedder), Knowledge(state, embedder=embedder)
    await here.add(shop)
    assert (await there.search("receipt"))[0].headings[-1] == "Returns"
    await here.remove(shop)
    assert await there.search("receipt") == ()
    assert (await there.status()).generation == 3


async def test_tenants_and_collections_find_only_their_own(
    state: State, embedder: BagEmbedder, shop: Path
) -> None:
    await Knowledge(state, embedder=embedder).add(shop)
    others = (
        Knowledge(state.for_tenant("b"), embedder=embedder),
        Knowledge(state, embedder=embedder, settings=KnowledgeSettings(collection="b")),
    )
    for other in others:
        assert await other.search("receipt") == ()
        assert await other.documents() == ()


async def test_pages_are_refused_offline(knowledge: Knowledge) -> None:
    with pytest.raises(DocumentFetchError, match="offline"):
        await knowledge.add("https://example.test/")


async def test_a_recall_stays_within_its_budget_and_leaves_out_what_does_not_fit(
    knowledge: Knowledge, shop: Path
) -> None:
    recaller: Recaller = knowledge
    await knowledge.add(shop)
    found = await recaller.recall(
        "when are you open and closed",
        session=None,
        limit_tokens=30,
        count_tokens=count_words,
    )
    assert found[0].text.startswith("[shop.md, Shop > Opening hours]\nWe open at nine")
    assert await count_words(joined(found)) <= 30
    nothing = await recaller.recall(
        "zebra crossing", session=None, limit_tokens=99, count_tokens=count_words
    )
    assert nothing == ()
    none = await recaller.recall("x", session=None, limit_tokens=0, count_tokens=count_words)
    assert none == ()


async def test_words_alone_need_no_model(state: State, shop: Path) -> None:
    knowledge = Knowledge(state, settings=KnowledgeSettings(reading=Reading.WORDS))
    await knowledge.add(shop)
    (hit,) = await knowledge.search("receipt")
    assert hit.similarity is None
    status = await knowledge.status()
    assert (status.documents, status.chunks, status.unembedded) == (2, 3, 2)
    assert not status.has_embedder


async def test_several_searches_at_once_agree(knowledge: Knowledge, shop: Path) -> None:
    await knowledge.add(shop)
    found: list[object] = []

    async def ask() -> None:
        found.append(await knowledge.search("receipt"))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
    assert len(set(map(repr, found))) == 1


async def test_a_search_in_a_restarted_process_needs_no_file(
    tmp_path: Path, embedder: BagEmbedder, shop: Path
) -> None:
    first = Database(tmp_path / "state.db")
    await Knowledge(State(first), embedder=embedder).add(shop)
    await first.aclose()
    (shop / "shop.md").unlink()
    second = Database(tmp_path / "state.db")
    (hit, *_) = await Knowledge(State(second), embedder=embedder).search("receipt")
    assert "30 days" in hit.text
    await second.aclose()


def test_all_settings_are_given_by_name() -> None:
    parameters = list(inspect.signature(Knowledge).parameters.values())
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in parameters[1:])
