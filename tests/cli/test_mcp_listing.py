"""Promises of `smallhold.cli.mcp_listing`: this file holds tests of what is told of a server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.tools.mcp.conftest import HOSTILE

from smallhold.cli.mcp_listing import headers_from, inspect_server, listing_table, server_for
from smallhold.exceptions import ConfigError, PeerUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Screen

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember nothing beyond a test."""
    monkeypatch.setenv("SMALLHOLD_CACHE", str(tmp_path))


def test_an_address_is_told_from_a_program() -> None:
    assert server_for(["shop", "-x"], headers=(), is_remote=False, name=None).name == "shop"
    local = server_for(["http://localhost:1/mcp"], headers=(), is_remote=False, name="a")
    assert local.name == "a"


def test_another_machine_has_to_be_allowed() -> None:
    with pytest.raises(ConfigError):
        server_for(["https://mcp.example"], headers=(), is_remote=False, name=None)
    assert server_for(["https://mcp.example"], headers=(), is_remote=True, name=None).remote_host


def test_an_address_stands_alone() -> None:
    with pytest.raises(ConfigError, match="alone"):
        server_for(["http://localhost", "x"], headers=(), is_remote=False, name=None)


def test_the_value_of_a_header_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEY", "Bearer secret")
    assert headers_from(["authorization=KEY"]) == {"authorization": "Bearer secret"}
    for word in ("authorization", "=KEY", "authorization=UNSET_VARIABLE"):
        with pytest.raises(ConfigError):
            headers_from([word])


async def test_what_is_left_out_is_told_with_the_reason(screen: Screen) -> None:
    server = server_for(
        [sys.executable, HOSTILE, "bad_schemas"], headers=(), is_remote=False, name="bad"
    )
    inspected = await inspect_server(server, accept=False)
    screen.console.print(*listing_table(inspected), sep="\n")
    assert "sound" in screen.text
    assert "left out: itself (" in screen.text
    assert "'#' contains itself, so it has no end" in screen.text
    document = inspected.to_dict()
    assert set(document) == {"server", "tools", "left_out", "changes"}


async def test_a_server_that_cannot_start_shows_its_last_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = server_for([sys.executable, HOSTILE, "exits"], headers=(), is_remote=False, name=None)
    with pytest.raises(PeerUnavailableError):
        await inspect_server(server, accept=False)
    assert "the database is missing" in capsys.readouterr().err
