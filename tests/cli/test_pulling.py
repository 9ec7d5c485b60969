"""Promises of `smallhold.cli.pulling`: this file holds tests of `smallhold pull`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from smallhold.cli.pulling import PullRequest, PullTools, choose_entry, pull_model
from smallhold.exceptions import ConfigError, SourcesExhaustedError, UnknownVariantError
from smallhold.models import (
    CatalogEntry,
    FileReference,
    FileSpec,
    HttpsSpec,
    ModelStore,
    PullPolicy,
    detect_hardware,
    load_catalog,
    parse_reference,
    resolve,
)
from smallhold.models.elsewhere import ForeignPlaces
from smallhold.models.sources import source_opener
from smallhold.models.sources.https import HttpsSource
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


async def fetch(
    wanted: CatalogEntry, *, root: Path, screen: Screen, policy: PullPolicy | None = None
) -> Path:
    settings = Settings(home=root, cache=root / "cache")
    tools = PullTools(
        store=ModelStore(settings.model_store),
        open_source=source_opener(settings),
        policy=policy or PullPolicy(),
        console=screen.console,
    )
    return await pull_model(wanted, tools=tools)


async def test_a_pull_says_where_from_and_where_to(tmp_path: Path, screen: Screen) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(CONTENT)
    path = await fetch(entry(file), root=tmp_path / "home", screen=screen)
    assert path.read_bytes() == CONTENT
    assert f"tiny:f32 from file:{file}" in screen.text
    assert f"tiny:f32 is ready (0 MB, {path})" in screen.text


async def test_a_model_that_is_there_is_not_fetched_again(tmp_path: Path, screen: Screen) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(CONTENT)
    path = await fetch(entry(file), root=tmp_path / "home", screen=type(screen)())
    file.unlink()
    assert await fetch(entry(file), root=tmp_path / "home", screen=screen) == path
    assert screen.text == f"tiny:f32 is already there (0 MB, {path})\n"


async def test_a_source_that_fails_is_named_and_the_next_one_delivers(
    tmp_path: Path, screen: Screen
) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(CONTENT)
    await fetch(entry(tmp_path / "gone.gguf", file), root=tmp_path / "home", screen=screen)
    assert f"file:{tmp_path}/gone.gguf could not deliver" in screen.text
    assert "tiny:f32 is ready" in screen.text


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


async def test_a_file_of_another_program_is_said_to_be_used_where_it_lies(
    tmp_path: Path, screen: Screen
) -> None:
    wanted = entry(tmp_path / "gone.gguf")
    theirs = tmp_path / "ollama" / "blobs" / f"sha256-{wanted.sha256}"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(CONTENT)
    policy = PullPolicy(places=ForeignPlaces(ollama=(tmp_path / "ollama",)))
    path = await fetch(wanted, root=tmp_path / "home", screen=screen, policy=policy)
    assert path == theirs
    assert f"tiny:f32 is used where it lies (0 MB, {theirs})" in screen.text


@pytest.fixture
def empty(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def chosen(
    text: str, store: ModelStore, *, variant: str | None = None, said: list[str] | None = None
) -> str:
    reference = parse_reference(text) if " " not in text else text
    assert not isinstance(reference, FileReference)
    catalog = load_catalog()
    lines = [] if said is None else said
    entry = choose_entry(reference, variant=variant, catalog=catalog, store=store, say=lines.append)
    return entry.reference


def test_a_file_that_is_named_is_the_one_that_is_meant(empty: ModelStore) -> None:
    assert chosen("smollm2-135m:q8_0", empty) == "smollm2-135m:q8_0"
    assert chosen("smollm2-135m", empty, variant="q8_0") == "smollm2-135m:q8_0"
    assert chosen("smollm2-135m:q8_0", empty, variant="q8_0") == "smollm2-135m:q8_0"


def test_without_a_quantization_the_machine_decides(empty: ModelStore) -> None:
    machine = resolve(
        "qwen3-0.6b",
        catalog=load_catalog(),
        hardware=detect_hardware(),
        is_installed=lambda _: False,
    )
    assert chosen("qwen3-0.6b", empty) == machine.entry.reference


def test_words_choose_a_model_and_say_which(empty: ModelStore) -> None:
    said: list[str] = []
    reference = chosen("fast routing", empty, said=said)
    assert reference in {entry.reference for entry in load_catalog().entries}
    assert said == [f"{reference} suits this machine; --variant takes another file"]


@pytest.mark.parametrize(
    ("text", "variant"), [("smollm2-135m:q8_0", "q4_1"), ("fast routing", "q8_0")]
)
def test_a_variant_goes_with_an_alias_alone(empty: ModelStore, text: str, variant: str) -> None:
    with pytest.raises(ConfigError, match="--variant"):
        chosen(text, empty, variant=variant)


def test_a_quantization_that_the_model_lacks_is_told(empty: ModelStore) -> None:
    with pytest.raises(UnknownVariantError, match="q8_0"):
        chosen("smollm2-135m:q3_k_s", empty)


def test_the_rate_of_the_command_line_is_that_of_all_its_sources(
    tmp_path: Path, screen: Screen
) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path, pull_rate_bytes_s=5)
    request = PullRequest(text="x", limit_rate="2MB", connections=3)
    tools = PullTools.of(settings, request, console=screen.console)
    source = tools.open_source(HttpsSpec(url="https://example.org/x"))
    assert isinstance(source, HttpsSource)
    assert source.settings.pacer.limit_bytes_s == 2_000_000
    assert source.settings.connections == 3


def test_an_unknown_alias_lists_near_matches(command_line: CommandLine) -> None:
    result = command_line("pull", "smollm2-135")
    assert result.exit_code == 2
    assert "Did you mean smollm2-135m or " in result.stderr
    assert result.stdout == ""


def test_offline_a_pull_lists_every_source_and_why(command_line: CommandLine) -> None:
    result = command_line("pull", "smollm2-135m")
    assert result.exit_code == 1
    reasons = [line for line in result.stderr.splitlines() if "SMALLHOLD_OFFLINE" in line]
    assert len(reasons) == 2
    assert "huggingface:" in reasons[0]
    assert "pypi:" in reasons[1]
