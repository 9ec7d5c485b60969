"""Promises of `smallhold.tools.mcp.listing_cache`: this file holds tests with real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.tools.mcp.test_reading import PROMPT, TOOL

from smallhold.tools.mcp.listing_cache import ListingCache, Remembered
from smallhold.tools.mcp.offers import Listing

IDENTITY = "0" * 64
LISTING = Listing(tools=(TOOL,), prompts=(PROMPT,), has_resources=True)
REMEMBERED = Remembered(shown=LISTING, newest=Listing(tools=(TOOL, TOOL)))


def test_what_was_remembered_is_recalled_word_by_word(tmp_path: Path) -> None:
    ListingCache(tmp_path / "mcp").save(IDENTITY, REMEMBERED)
    recalled = ListingCache(tmp_path / "mcp").load(IDENTITY)
    assert recalled == REMEMBERED
    assert recalled is not None
    assert json.dumps(recalled.shown.tools[0].input_schema) == json.dumps(TOOL.input_schema)


def test_an_unknown_server_is_not_recalled(tmp_path: Path) -> None:
    assert ListingCache(tmp_path).load(IDENTITY) is None


@pytest.mark.parametrize("text", ["", "{", "5", "[]", "{}", '{"v": 99, "shown": {}}', '{"v": 1}'])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{IDENTITY}.json").write_text(text, "utf-8")
    assert ListingCache(tmp_path).load(IDENTITY) is None


def test_a_file_that_is_no_text_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / f"{IDENTITY}.json").write_bytes(b"\xff\xfe\x00")
    assert ListingCache(tmp_path).load(IDENTITY) is None


def test_only_the_owner_may_read_what_is_remembered(tmp_path: Path) -> None:
    ListingCache(tmp_path / "mcp").save(IDENTITY, REMEMBERED)
    assert (tmp_path / "mcp").stat().st_mode & 0o077 == 0
    assert (tmp_path / "mcp" / f"{IDENTITY}.json").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_costs_only_the_remembering(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ListingCache(tmp_path / "file" / "mcp").save(IDENTITY, REMEMBERED)


def test_no_file_is_left_half_written(tmp_path: Path) -> None:
    cache = ListingCache(tmp_path)
    for _ in range(3):
        cache.save(IDENTITY, REMEMBERED)
    assert [file.name for file in tmp_path.iterdir()] == [f"{IDENTITY}.json"]


def test_an_identity_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        ListingCache(tmp_path).load("../../etc/passwd")
