from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.knowledge.conftest import write

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge import Indexed, Knowledge, Outcome
from smallhold.state.knowledge.watching import is_followed, outermost


async def test_a_watched_folder_is_followed_through_every_change(
    knowledge: Knowledge, shop: Path
) -> None:
    async with knowledge.watch(shop) as changes:

        async def until(name: str, outcome: Outcome) -> Indexed:
            with anyio.fail_after(30):
                async for done in changes:
                    if (Path(done.source).name, done.outcome) == (name, outcome):
                        return done
            raise AssertionError(name)

        await until("shop.md", Outcome.ADDED)
        write(shop / "new.txt", "Fresh bread.")
        await until("new.txt", Outcome.ADDED)
        write(shop / "new.txt", "Fresh rolls.")
        await until("new.txt", Outcome.CHANGED)
        (shop / "new.txt").unlink()
        await until("new.txt", Outcome.REMOVED)
        write(shop / "bad.pdf", "no pdf")
        assert "no PDF" in (await until("bad.pdf", Outcome.REFUSED)).problem
        inside = shop / "inside"
        inside.mkdir()
        write(inside / "deep.md", "# Deep\n\nText.\n")
        await until("deep.md", Outcome.ADDED)
        inside.rename(shop.with_name("elsewhere"))
        await until("deep.md", Outcome.REMOVED)
    assert len(await knowledge.documents()) == 2


async def test_only_a_folder_can_be_watched(knowledge: Knowledge, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no folder"):
        async with knowledge.watch(tmp_path / "missing") as changes:
            await anext(changes)


def test_hidden_files_and_other_formats_are_not_followed(tmp_path: Path) -> None:
    assert is_followed(tmp_path / "a.md", folder=tmp_path)
    assert is_followed(tmp_path / "folder", folder=tmp_path)
    assert not is_followed(tmp_path / "a.jpg", folder=tmp_path)
    assert not is_followed(tmp_path / ".git" / "a.md", folder=tmp_path)


PATHS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join).map(Path))


@given(PATHS)
def test_every_path_is_within_exactly_one_of_the_outermost(paths: list[Path]) -> None:
    kept = outermost(paths)
    for path in paths:
        assert sum(path.is_relative_to(other) for other in kept) == 1
