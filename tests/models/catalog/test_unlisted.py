"""Promises of `smallhold.models.catalog.unlisted`:
this file holds tests of describing unknown files.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest

from smallhold.models.catalog.catalog import Catalog
from smallhold.models.catalog.catalog_file import parse_catalog
from smallhold.models.catalog.source_specs import FileSpec
from smallhold.models.catalog.unlisted import UNKNOWN_LICENCE, unlisted_model
from smallhold.models.catalog.writing import model_document
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header

if TYPE_CHECKING:
    from pathlib import Path

    from tests.models.conftest import GGUFMaker

SOURCE = FileSpec(path="/models/tiny.gguf")
DIGEST = "a" * 64


@pytest.fixture
def header(tmp_path: Path, gguf: GGUFMaker) -> GGUFHeader:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf.model())
    return read_gguf_header(path)


def header_with(tmp_path: Path, gguf: GGUFMaker, *pairs: bytes) -> GGUFHeader:
    path = tmp_path / "odd.gguf"
    path.write_bytes(gguf.file(pairs=pairs))
    return read_gguf_header(path)


def test_a_file_is_described_by_its_own_header(header: GGUFHeader) -> None:
    model = unlisted_model(header, alias="mine", source=SOURCE, sha256=DIGEST)
    assert (model.alias, model.title, model.family) == ("mine", "Tiny", "llama")
    assert model.context_tokens == 2048
    assert model.chat_template_sha256 is not None
    (entry,) = model.entries
    assert entry.reference == "mine:q4_k_m"
    assert (entry.sha256, entry.size_bytes) == (DIGEST, header.file_bytes)
    assert entry.sources == (SOURCE,)


def as_catalog(model_text: bytes) -> Catalog:
    return parse_catalog(model_text, file="test")


@pytest.mark.parametrize("licence", ["apache-2.0", "llama3.2", "a b; rm", "../x", "x" * 300])
def test_every_description_can_be_written_into_a_catalog(
    tmp_path: Path, gguf: GGUFMaker, licence: str
) -> None:
    header = header_with(
        tmp_path,
        gguf,
        gguf.string("general.architecture", "strange\nfamily\x07"),
        gguf.string("general.name", b"\xff\xfe\x00 name \x1b[2J"),
        gguf.string("general.license", licence),
    )
    model = unlisted_model(header, alias="odd", source=SOURCE, sha256=DIGEST)
    document = {"version": 2, "models": {"odd": model_document(model)}}
    assert as_catalog(json.dumps(document).encode()).model("odd") == model


def test_an_empty_header_still_makes_a_model(tmp_path: Path, gguf: GGUFMaker) -> None:
    header = header_with(tmp_path, gguf, gguf.pair("x", 4, struct.pack("<I", 1)))
    model = unlisted_model(
        header, alias="bare", source=SOURCE, sha256=DIGEST, named_quantization="Q8_0"
    )
    assert (model.title, model.family, model.licence) == ("bare", "unknown", UNKNOWN_LICENCE)
    assert model.default.quantization == "Q8_0"
    assert model.shape is None


def test_licences_are_written_as_spdx_has_them(tmp_path: Path, gguf: GGUFMaker) -> None:
    for written, expected in (("apache-2.0", "Apache-2.0"), ("llama3.2", "LicenseRef-llama3.2")):
        header = header_with(tmp_path, gguf, gguf.string("general.license", written))
        model = unlisted_model(header, alias="a", source=SOURCE, sha256=DIGEST)
        assert model.licence == expected
