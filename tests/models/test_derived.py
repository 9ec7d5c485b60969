"""Promises of `smallhold.models.derived`: this file holds tests of files made out of models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tiny_models import write_llama

from smallhold.exceptions import ConfigError, StoreBusyError, StoreFullError
from smallhold.models.catalog.catalog import Catalog, CatalogModel
from smallhold.models.catalog.overlays import open_catalog
from smallhold.models.derived import make_at_path, make_in_store, with_new_variant
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header
from smallhold.models.store.store import ModelStore, open_store
from smallhold.settings import Settings

SIZE = 500_000


def write(path: Path) -> GGUFHeader:
    return read_gguf_header(write_llama(path))


def fail(path: Path) -> GGUFHeader:
    write_llama(path)
    raise KeyboardInterrupt


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache", offline=True)


@pytest.fixture
def catalog(settings: Settings) -> Catalog:
    return open_catalog(settings)


@pytest.fixture
def model(catalog: Catalog, tmp_path: Path) -> CatalogModel:
    """A model that no catalog knows, of which a file is about to be made."""
    header = write(tmp_path / "origin.gguf")
    return with_new_variant("mine", "Q4_0", catalog=catalog, origin=None, header=header)


def make(settings: Settings, model: CatalogModel, write: Callable[[Path], GGUFHeader]) -> Path:
    store = open_store(settings)
    made = make_in_store(settings, store, model, write, size_bytes=SIZE, source="quantized:x")
    assert made.reference == "mine:q4_0"
    return made.path


def test_a_file_is_written_to_a_path(tmp_path: Path) -> None:
    target = tmp_path / "q.gguf"
    made = make_at_path(target, write, size_bytes=SIZE, overwrite=False)
    assert (made.path, made.reference) == (target, None)
    assert read_gguf_header(target) == made.header
    assert names_in(tmp_path) == ["q.gguf"]


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / "q.gguf"
    target.write_bytes(b"old")
    with pytest.raises(ConfigError, match="--force"):
        make_at_path(target, write, size_bytes=SIZE, overwrite=False)
    with pytest.raises(KeyboardInterrupt):
        make_at_path(target, fail, size_bytes=SIZE, overwrite=True)
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["q.gguf"]
    make_at_path(target, write, size_bytes=SIZE, overwrite=True)
    assert target.read_bytes() != b"old"


def test_a_disk_without_room_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MB are needed"):
        make_at_path(tmp_path / "q.gguf", fail, size_bytes=10**18, overwrite=False)
    assert not names_in(tmp_path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        make_at_path(tmp_path / "none" / "q.gguf", write, size_bytes=SIZE, overwrite=False)


def test_a_file_in_the_store_can_be_used_by_its_name(
    settings: Settings, model: CatalogModel
) -> None:
    path = make(settings, model, write)
    entry = open_catalog(settings).resolve("mine:q4_0")
    assert open_store(settings).require(entry) == path
    assert entry.sha256 is not None
    assert entry.size_bytes == path.stat().st_size
    assert open_catalog(settings).resolve("mine") == entry


def test_nothing_is_left_of_what_failed(settings: Settings, model: CatalogModel) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(settings, model, fail)
    assert "mine" not in open_catalog(settings)
    assert not open_store(settings).installed()
    assert not [path for path in settings.model_store.rglob("*gguf*") if path.is_file()]


def test_a_store_without_room_is_said_before_anything_is_written(
    settings: Settings, model: CatalogModel
) -> None:
    store = ModelStore(settings.model_store, free_bytes=lambda _: 1000)
    with pytest.raises(StoreFullError):
        make_in_store(settings, store, model, fail, size_bytes=SIZE, source="quantized:x")


def test_two_do_not_make_the_same_file_at_once(settings: Settings, model: CatalogModel) -> None:
    def write_while_another_tries(path: Path) -> GGUFHeader:
        with pytest.raises(StoreBusyError):
            make(settings, model, write)
        return write(path)

    make(settings, model, write_while_another_tries)


def test_a_second_file_of_a_model_stands_beside_the_first(
    settings: Settings, model: CatalogModel
) -> None:
    make(settings, model, write)
    catalog = open_catalog(settings)
    known = catalog.model("mine")
    header = read_gguf_header(open_store(settings).require(known.default))
    wider = with_new_variant("mine", "Q8_0", catalog=catalog, origin=known, header=header)
    assert [variant.quantization for variant in wider.variants] == ["Q4_0", "Q8_0"]


def test_a_file_that_a_model_has_already_is_not_made_again(
    settings: Settings, model: CatalogModel
) -> None:
    path = make(settings, model, write)
    catalog = open_catalog(settings)
    known, header = catalog.model("mine"), read_gguf_header(path)
    with pytest.raises(ConfigError, match="already"):
        with_new_variant("mine", "Q4_0", catalog=catalog, origin=known, header=header)


def test_a_file_that_was_made_here_and_removed_can_be_made_again(
    settings: Settings, model: CatalogModel
) -> None:
    path = make(settings, model, write)
    header = read_gguf_header(path)
    open_store(settings).remove("mine")
    catalog = open_catalog(settings)
    again = with_new_variant(
        "mine", "Q4_0", catalog=catalog, origin=catalog.model("mine"), header=header
    )
    assert len(again.variants) == 1
    assert make(settings, again, write).exists()


def test_the_name_of_another_model_is_refused(
    catalog: Catalog, model: CatalogModel, tmp_path: Path
) -> None:
    del model
    header = read_gguf_header(tmp_path / "origin.gguf")
    with pytest.raises(ConfigError, match="another model"):
        with_new_variant("smollm2-135m", "Q4_0", catalog=catalog, origin=None, header=header)


def test_a_model_under_a_new_name_keeps_what_is_known_of_it(
    catalog: Catalog, tmp_path: Path
) -> None:
    origin, header = catalog.model("smollm2-135m"), write(tmp_path / "m.gguf")
    renamed = with_new_variant("mine", "Q2_K", catalog=catalog, origin=origin, header=header)
    assert (renamed.alias, renamed.title) == ("mine", origin.title)
    assert [variant.quantization for variant in renamed.variants] == ["Q2_K"]
    assert renamed.signature is None
