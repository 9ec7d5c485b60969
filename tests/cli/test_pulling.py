"""Promises of `smallhold.cli.pulling`: this file holds tests of `smallhold pull`."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from rich.progress import Progress

from smallhold.cli.pulling import PullBar, pull_model
from smallhold.exceptions import SourcesExhaustedError
from smallhold.models import CatalogEntry, FileSpec, ModelStore, PullPhase, PullProgress
from smallhold.models.sources import source_opener
from smallhold.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine, Screen

pytestmark = pytest.mark.anyio

CONTENT = b"weights" * 1000


def entry(*paths: Path) -> CatalogEntry:
    return CatalogEntry(
        alias="tiny",
        title="Tiny",
        family="tiny",
        parameter_count=1,
        licence="MIT",
        context_tokens=128,
        quantization="F32",
        size_bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        call_dialect="hermes",
        sources=tuple(FileSpec(path=str(path)) for path in paths),
    )


async def fetch(wanted: CatalogEntry, *, root: Path, screen: Screen) -> Path:
    settings = Settings(home=root, cache=root / "cache")
    return await pull_model(
        wanted,
        store=ModelStore(settings.model_store),
        open_source=source_opener(settings),
        console=screen.console,
    )


async def test_a_pull_says_where_from_and_where_to(tmp_path: Path, screen: Screen) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(CONTENT)
    path = await fetch(entry(file), root=tmp_path / "home", screen=screen)
    assert path.read_bytes() == CONTENT
    assert f"tiny from file:{file}" in screen.text
    assert f"tiny is ready (0 MB, {path})" in screen.text


async def test_a_model_that_is_there_is_not_fetched_again(tmp_path: Path, screen: Screen) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(CONTENT)
    path = await fetch(entry(file), root=tmp_path / "home", screen=type(screen)())
    file.unlink()
    assert await fetch(entry(file), root=tmp_path / "home", screen=screen) == path
    assert screen.text == f"tiny is already there (0 MB, {path})\n"


async def test_a_source_that_fails_is_named_and_the_next_one_delivers(
    tmp_path: Path, screen: Screen
) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(CONTENT)
    await fetch(entry(tmp_path / "gone.gguf", file), root=tmp_path / "home", screen=screen)
    assert f"file:{tmp_path}/gone.gguf could not deliver" in screen.text
    assert "tiny is ready" in screen.text


async def test_when_all_sources_fail_each_is_listed_with_its_reason(
    tmp_path: Path, screen: Screen
) -> None:
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(CONTENT[::-1])
    with pytest.raises(SourcesExhaustedError) as caught:
        await fetch(entry(tmp_path / "gone.gguf", wrong), root=tmp_path / "home", screen=screen)
    lines = str(caught.value).splitlines()
    assert any("gone.gguf" in line and "No such file" in line for line in lines)
    assert any("wrong.gguf" in line and "sha256" in line for line in lines)


def test_waiting_and_verifying_are_shown_by_name(screen: Screen) -> None:
    console = screen.console
    with Progress(console=console, auto_refresh=False) as progress, ExitStack() as stack:
        bar = PullBar(console=console, stack=stack, progress=progress)
        for phase in (PullPhase.WAITING, PullPhase.FETCHING, PullPhase.VERIFYING):
            bar.show(
                PullProgress(alias="tiny", phase=phase, source="", done_bytes=5, total_bytes=10)
            )
            (task,) = progress.tasks
            assert (task.completed, task.total) == (5, 10)
            wanted = {PullPhase.WAITING: "waiting for another pull"}.get(phase, phase.value)
            assert task.description == wanted


def test_an_unknown_alias_lists_near_matches(command_line: CommandLine) -> None:
    result = command_line("pull", "smollm2-135")
    assert result.exit_code == 2
    assert "Did you mean smollm2-135m?" in result.stderr
    assert result.stdout == ""


def test_offline_a_pull_lists_every_source_and_why(command_line: CommandLine) -> None:
    result = command_line("pull", "smollm2-135m")
    assert result.exit_code == 1
    reasons = [line for line in result.stderr.splitlines() if "SMALLHOLD_OFFLINE" in line]
    assert len(reasons) == 2
    assert "huggingface:" in reasons[0]
    assert "pypi:" in reasons[1]
