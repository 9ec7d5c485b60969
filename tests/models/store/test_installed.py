"""Promises of `smallhold.models.store.installed`:
this file holds tests of what counts as installed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.models.stored import put

from smallhold.exceptions import ConfigError, ModelNotInstalledError
from smallhold.models.store.installed import InstalledModel, installed_model, model_named

if TYPE_CHECKING:
    from pathlib import Path

    from tests.models.conftest import EntryMaker

    from smallhold.models.store.store import ModelStore


def model(alias: str, quantization: str, path: Path) -> InstalledModel:
    return InstalledModel(
        alias=alias,
        sha256="a" * 64,
        size_bytes=1,
        path=path,
        quantization=quantization,
        source="here",
        is_verified=True,
    )


def test_a_model_is_named_by_its_reference_or_by_an_alias_with_one_file(tmp_path: Path) -> None:
    small, large = model("a", "Q4_0", tmp_path), model("a", "Q8_0", tmp_path)
    other = model("b", "Q4_0", tmp_path)
    models = (small, large, other)
    assert model_named("a:q8_0", models) is large
    assert model_named("a:Q8_0", models) is large
    assert model_named("b", models) is other
    with pytest.raises(ConfigError, match="a:q4_0, a:q8_0"):
        model_named("a", models)
    with pytest.raises(ModelNotInstalledError):
        model_named("c", models)


def test_a_record_without_its_file_is_no_installed_model(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(b"weights"), b"weights")
    (record,) = store.records.all().values()
    found = installed_model(record, layout=store.layout, marks=store.marks)
    assert found is not None
    assert (found.path, found.size_bytes, found.is_in_place) == (path, 7, False)
    path.unlink()
    assert installed_model(record, layout=store.layout, marks=store.marks) is None


def test_a_model_that_was_never_used_was_used_when_it_arrived(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(b"weights"), b"weights")
    store.layout.use(path.name.removeprefix("sha256-")).unlink()
    os.utime(path, (5, 5))
    assert store.installed()[0].last_used_s == 5
