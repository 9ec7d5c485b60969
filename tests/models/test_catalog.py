"""Promises of `smallhold.models.catalog`: this file holds tests of finding models by alias."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import UnknownModelError
from smallhold.models.catalog import Catalog
from smallhold.models.catalog_file import load_catalog

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker


def test_an_alias_leads_to_its_entry(make_entry: EntryMaker) -> None:
    entry = make_entry(b"x", alias="kiosk")
    assert Catalog(entries={"kiosk": entry}).resolve("kiosk") is entry


def test_an_unknown_alias_is_answered_with_the_nearest_ones() -> None:
    with pytest.raises(UnknownModelError, match=r"Did you mean qwen2\.5-coder-0\.5b") as caught:
        load_catalog().resolve("Qwen-2.5-coder-0.5B")
    assert caught.value.near[0] == "qwen2.5-coder-0.5b"


def test_an_alias_like_no_other_is_answered_with_all_of_them() -> None:
    with pytest.raises(UnknownModelError, match="Known aliases: smollm2-135m, "):
        load_catalog().resolve("zzzzzz")


def test_iterating_hands_out_entries_in_the_order_of_the_file(make_entry: EntryMaker) -> None:
    entries = {alias: make_entry(b"x", alias=alias) for alias in ("b", "a", "c")}
    catalog = Catalog(entries=entries)
    assert [entry.alias for entry in catalog] == ["b", "a", "c"]
    assert catalog.aliases == ("b", "a", "c")
    assert len(catalog) == 3
    assert "a" in catalog
    assert "d" not in catalog


def test_an_entry_cannot_be_changed(make_entry: EntryMaker) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_entry(b"x").alias = "other"  # pyright: ignore[reportAttributeAccessIssue] - the point


@given(st.text(max_size=80))
def test_any_text_is_an_alias_or_an_error_that_names_it(alias: str) -> None:
    catalog = load_catalog()
    if alias in catalog:
        assert catalog.resolve(alias).alias == alias
        return
    with pytest.raises(UnknownModelError) as caught:
        catalog.resolve(alias)
    assert repr(alias) in str(caught.value)
    assert set(caught.value.near) <= set(catalog.aliases)
