"""Promises of `smallhold.models.sources.file`: this file holds tests of copying from a disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import SourceUnavailableError, StoreFullError
from smallhold.models.catalog.source_specs import FileSpec
from smallhold.models.sources.file import FileSource
from smallhold.models.sources.protocol import Arrival

if TYPE_CHECKING:
    from tests.models.sources.conftest import JobMaker

pytestmark = pytest.mark.anyio

CONTENT = b"model" * 1000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "my model.gguf"
    path.write_bytes(CONTENT)
    return path


def source(path: str | Path) -> FileSource:
    return FileSource(spec=FileSpec(path=str(path)))


async def test_a_file_arrives_as_a_copy_not_as_a_link(make_job: JobMaker, model: Path) -> None:
    assert await source(model).fetch(make_job(CONTENT)) == Arrival()
    assert make_job.arrived == CONTENT
    assert not make_job.partial.path.samefile(model)
    assert make_job.reports[-1] == (len(CONTENT), len(CONTENT))


async def test_a_file_url_is_a_path(make_job: JobMaker, model: Path) -> None:
    await source(model.as_uri()).fetch(make_job(CONTENT))
    assert make_job.arrived == CONTENT


async def test_what_another_attempt_left_is_replaced(make_job: JobMaker, model: Path) -> None:
    make_job.partial.path.parent.mkdir()
    make_job.partial.append(b"leftovers")
    await source(model).fetch(make_job(CONTENT))
    assert make_job.arrived == CONTENT


async def test_a_file_of_another_size_is_refused_before_it_is_copied(
    make_job: JobMaker, model: Path
) -> None:
    with pytest.raises(SourceUnavailableError, match=r"has 5,000 bytes, the catalog says 5,001"):
        await source(model).fetch(make_job(CONTENT + b"x"))
    assert make_job.partial.size_bytes == 0


async def test_a_missing_file_a_folder_and_a_pipe_are_refused(
    make_job: JobMaker, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        with pytest.raises(SourceUnavailableError):
            await source(path).fetch(make_job(CONTENT, is_known=False))


async def test_a_url_of_another_machine_is_refused(make_job: JobMaker) -> None:
    with pytest.raises(SourceUnavailableError, match="another machine"):
        await source("file://server/share/model.gguf").fetch(make_job(CONTENT))


async def test_a_full_disk_is_told_before_copying(make_job: JobMaker, model: Path) -> None:
    def full(needed_bytes: int) -> None:
        raise StoreFullError(path="/x", needed_bytes=needed_bytes, free_bytes=0)

    make_job.room = full
    with pytest.raises(StoreFullError):
        await source(model).fetch(make_job(CONTENT))
