from __future__ import annotations

from pathlib import Path

from tests.state.conftest import KEYS
from tests.state.knowledge.conftest import BagEmbedder, write

from smallhold.state import Database, State
from smallhold.state.knowledge import Knowledge

CANARY = "Zyxomirandel"


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


async def test_an_erased_document_leaves_no_byte_in_the_database(
    tmp_path: Path, embedder: BagEmbedder
) -> None:
    (tmp_path / "db").mkdir()
    state = State(tmp_path / "db" / "state.db")
    knowledge = Knowledge(state, embedder=embedder)
    text = write(tmp_path / "a.md", f"# {CANARY}\n\n" + f"The {CANARY} is blue.\n\n" * 300)
    other = write(tmp_path / "b.md", "# Shop\n\nOpen.\n")
    await knowledge.add(text)
    await knowledge.add(other)
    assert CANARY.encode() in bytes_on_disk(tmp_path / "db")
    report = await knowledge.erase(text)
    assert report.is_complete
    assert report.to_dict()["sources"] == [str(text)]
    assert CANARY.encode() not in bytes_on_disk(tmp_path / "db")
    assert [known.source for known in await knowledge.documents()] == [str(other)]
    await state.aclose()
    assert CANARY.encode() not in bytes_on_disk(tmp_path / "db")


async def test_with_keys_no_word_and_no_name_of_a_file_is_in_the_clear(
    tmp_path: Path, embedder: BagEmbedder
) -> None:
    (tmp_path / "db").mkdir()
    database = Database(tmp_path / "db" / "state.db", keys=KEYS)
    knowledge = Knowledge(State(database), embedder=embedder)
    await knowledge.add(write(tmp_path / f"{CANARY}.md", f"# Secret\n\nThe {CANARY} is blue.\n"))
    assert (await knowledge.search(CANARY))[0].source.endswith(f"{CANARY}.md")
    assert CANARY.encode() not in bytes_on_disk(tmp_path / "db")
    await database.aclose()
    assert CANARY.encode() not in bytes_on_disk(tmp_path / "db")


async def test_a_document_can_be_erased_on_every_database(knowledge: Knowledge, shop: Path) -> None:
    await knowledge.add(shop)
    report = await knowledge.erase(shop)
    assert len(report.sources) == 2
    assert report.chunks == 3
    assert await knowledge.search("espresso") == ()


async def test_a_database_in_memory_needs_no_cleaning(embedder: BagEmbedder, shop: Path) -> None:
    state = State("sqlite://")
    knowledge = Knowledge(state, embedder=embedder)
    await knowledge.add(shop)
    assert (await knowledge.erase(shop)).is_complete
    await state.aclose()
