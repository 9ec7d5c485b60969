"""Promises of `smallhold.models.catalog.records`: this file holds tests of laying over."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.catalog.catalog import CatalogModel
from smallhold.models.catalog.records import NEEDED_FIELDS, ModelRecord
from smallhold.models.catalog.source_specs import FileSpec

quantizations = st.lists(
    st.sampled_from(["Q2_K", "Q4_0", "Q4_K_M", "Q8_0", "F16"]), min_size=1, unique=True
)


def whole(*names: str) -> dict[str, Any]:
    return {
        "title": "Tiny",
        "family": "tiny",
        "parameter_count": 1,
        "licence": "MIT",
        "context_tokens": 2048,
        "call_dialect": "hermes",
        "sources": [{"kind": "file", "path": "/mnt/{quantization}.gguf"}],
        "variants": [{"quantization": name} for name in names],
    }


def model(document: dict[str, Any], *, over: CatalogModel | None = None) -> CatalogModel:
    record = ModelRecord.model_validate(document)
    result = record.over(over, alias="tiny")
    assert isinstance(result, CatalogModel)
    return result


def test_a_record_says_which_needed_field_it_lacks() -> None:
    for name in NEEDED_FIELDS:
        document = whole("Q4_0")
        del document[name]
        assert ModelRecord.model_validate(document).missing() == name
    assert ModelRecord.model_validate(whole("Q4_0")).missing() is None


def test_a_variant_without_source_is_named_by_its_number() -> None:
    document = whole("Q4_0", "Q8_0")
    document["variants"][0]["sources"] = document.pop("sources")
    assert ModelRecord.model_validate(document).over(None, alias="tiny") == 1


@given(quantizations)
def test_an_empty_record_changes_nothing(names: list[str]) -> None:
    older = model(whole(*names))
    assert model({}, over=older) == older


@given(quantizations, quantizations)
def test_laying_a_model_over_itself_changes_nothing_more(
    names: list[str], added: list[str]
) -> None:
    older = model(whole(*names))
    once = model(whole(*added), over=older)
    assert model(whole(*added), over=once) == once


@given(quantizations, quantizations)
def test_older_variants_keep_their_place_and_newer_ones_follow(
    names: list[str], added: list[str]
) -> None:
    merged = model(whole(*added), over=model(whole(*names)))
    expected = [*names, *(name for name in added if name not in names)]
    assert [variant.quantization for variant in merged.variants] == expected
    assert {variant.sources for variant in merged.variants} == {
        (FileSpec(path=f"/mnt/{name.lower()}.gguf"),) for name in expected
    }


def test_a_digest_can_be_corrected_and_taken_back() -> None:
    older = model(whole("Q4_0"))
    named = model({"variants": [{"quantization": "Q4_0", "sha256": "a" * 64}]}, over=older)
    assert named.variants[0].sha256 == "a" * 64
    forgotten = model({"variants": [{"quantization": "Q4_0", "sha256": None}]}, over=named)
    assert forgotten == older


def test_values_that_are_computed_out_of_the_keys_take_no_memory_of_their_own() -> None:
    shape = {
        "architecture": "deepseek2", "block_count": 2, "embedding_length": 64,
        "feed_forward_length": 64, "head_count": 4, "head_count_kv": 1, "key_length": 16,
        "vocabulary_size": 10,
    }  # fmt: skip
    widths = [
        found.shape.value_length
        for value in ({}, {"value_length": 0}, {"value_length": 8})
        if (found := model(whole("Q4_0") | {"shape": shape | value})).shape is not None
    ]
    assert widths == [16, 0, 8]
