"""Promises of `smallhold.cli.quantize_run`: this file holds tests of the steps of the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tiny_models import write_llama

from smallhold.cli.quantize_run import find_source
from smallhold.exceptions import ModelNotInstalledError, UnknownModelError, UnknownVariantError
from smallhold.models.catalog.catalog import Catalog
from smallhold.models.catalog.overlays import open_catalog
from smallhold.models.store.store import ModelStore
from smallhold.settings import Settings, load_settings


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return open_catalog(Settings(home=tmp_path / "home", cache=tmp_path / "cache"))


def test_a_path_is_a_file_of_nobody_s(tmp_path: Path, catalog: Catalog, store: ModelStore) -> None:
    path = write_llama(tmp_path / "m.gguf")
    source = find_source(str(path), catalog=catalog, store=store)
    assert (source.path, source.name, source.model) == (path, "m.gguf", None)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("smollm2-135m", ModelNotInstalledError), ("nonsuch", UnknownModelError),
        ("smollm2-135m:q9_k", UnknownVariantError),
    ],
)  # fmt: skip
def test_a_model_that_is_not_here_is_said(
    text: str, error: type[Exception], catalog: Catalog, store: ModelStore
) -> None:
    with pytest.raises(error):
        find_source(text, catalog=catalog, store=store)


def test_an_installed_model_is_found_by_its_alias(smollm2_path: Path, catalog: Catalog) -> None:
    store = ModelStore(load_settings().model_store)
    source = find_source("smollm2-135m", catalog=catalog, store=store)
    assert source.path == smollm2_path
    assert source.model is not None
    assert source.name == source.model.default.reference
