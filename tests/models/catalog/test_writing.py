"""Promises of `smallhold.models.catalog.writing`: this file holds tests of writing models down."""

from __future__ import annotations

import pytest
import yaml

from smallhold.models.catalog.catalog import CatalogModel
from smallhold.models.catalog.catalog_file import load_catalog, parse_catalog
from smallhold.models.catalog.writing import model_document


@pytest.mark.parametrize("model", load_catalog(), ids=lambda model: model.alias)
def test_every_packaged_model_is_read_back_as_it_was_written(model: CatalogModel) -> None:
    text = yaml.safe_dump({"version": 2, "models": {model.alias: model_document(model)}})
    assert parse_catalog(text.encode(), file="x").model(model.alias) == model


def test_what_is_not_known_is_left_out() -> None:
    document = model_document(load_catalog().model("qwen2.5-7b"))
    assert [variant["quantization"] for variant in document["variants"] if "sha256" in variant] == [
        "Q4_K_M",
        "Q5_K_M",
    ]
    assert "signature" not in document
    assert "purpose" not in document
