"""Promises of `smallhold.models.catalog.catalog`:
this file holds tests of finding models by alias.
"""

from __future__ import annotations

import dataclasses
import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import UnknownModelError, UnknownVariantError, UnsignedModelError
from smallhold.models.catalog.catalog import (
    Catalog,
    CatalogModel,
    CatalogVariant,
    follow,
    reference,
    split_reference,
)
from smallhold.models.catalog.catalog_file import load_catalog
from smallhold.models.catalog.source_specs import FileSpec

words = st.text(string.ascii_lowercase, min_size=1, max_size=3)


def model(alias: str, *quantizations: str) -> CatalogModel:
    return CatalogModel(
        alias=alias,
        title="Tiny",
        family="tiny",
        parameter_count=1,
        licence="Apache-2.0",
        context_tokens=2048,
        call_dialect="hermes",
        variants=tuple(
            CatalogVariant(quantization=name, sources=(FileSpec(path=f"/mnt/{alias}-{name}"),))
            for name in quantizations or ("Q4_K_M",)
        ),
    )


def catalog(*models: CatalogModel, **redirects: str) -> Catalog:
    return Catalog(models={item.alias: item for item in models}, redirects=redirects)


def test_an_alias_leads_to_its_model_and_to_the_models_first_file() -> None:
    kiosk = model("kiosk", "Q4_K_M", "Q8_0")
    assert catalog(kiosk).model("kiosk") is kiosk
    assert catalog(kiosk).resolve("kiosk") == kiosk.entries[0]


def test_an_alias_with_a_quantization_leads_to_that_file() -> None:
    entry = catalog(model("kiosk", "Q4_K_M", "Q8_0")).resolve("kiosk:q8_0")
    assert entry.quantization == "Q8_0"
    assert entry.sources == (FileSpec(path="/mnt/kiosk-Q8_0"),)
    assert entry.reference == "kiosk:q8_0"


def test_a_quantization_may_be_written_in_either_case() -> None:
    kiosk = catalog(model("kiosk", "Q4_K_M", "Q8_0"))
    assert kiosk.resolve("kiosk:Q8_0") == kiosk.resolve("kiosk:q8_0")


def test_an_unknown_quantization_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(UnknownVariantError, match="It has kiosk:q4_k_m, kiosk:q8_0") as caught:
        catalog(model("kiosk", "Q4_K_M", "Q8_0")).resolve("kiosk:q2_k")
    assert caught.value.known == ("q4_k_m", "q8_0")


def test_every_reference_of_an_entry_leads_back_to_it() -> None:
    known = load_catalog()
    references = [entry.reference for entry in known.entries]
    assert [known.resolve(name).reference for name in references] == references
    assert len(set(references)) == len(references)


def test_an_unknown_alias_is_answered_with_the_nearest_ones() -> None:
    with pytest.raises(UnknownModelError, match=r"Did you mean qwen2\.5-coder-0\.5b") as caught:
        load_catalog().resolve("Qwen-2.5-coder-0.5B")
    assert caught.value.near[0] == "qwen2.5-coder-0.5b"


def test_an_alias_like_no_other_is_answered_with_all_of_them() -> None:
    with pytest.raises(UnknownModelError, match="Known aliases: kiosk, support"):
        catalog(model("kiosk"), support="kiosk").resolve("zzzzzz")


def test_iterating_hands_out_models_in_the_order_of_the_file() -> None:
    three = catalog(model("b"), model("a"), model("c"))
    assert [item.alias for item in three] == ["b", "a", "c"]
    assert three.aliases == ("b", "a", "c")
    assert [entry.alias for entry in three.entries] == ["b", "a", "c"]
    assert len(three) == 3
    assert "a" in three
    assert "d" not in three


def test_an_entry_cannot_be_changed() -> None:
    entry = model("kiosk").default
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.alias = "other"  # pyright: ignore[reportAttributeAccessIssue] - the point


def test_a_redirect_is_followed_to_the_model_that_it_stands_for() -> None:
    known = catalog(model("kiosk", "Q4_K_M", "Q8_0"), support="kiosk", help="support:q8_0")
    assert known.model("support").alias == "kiosk"
    assert known.resolve("help").reference == "kiosk:q8_0"
    assert "help" in known
    assert known.aliases == ("kiosk", "support", "help")


def test_a_quantization_that_is_asked_for_comes_before_the_redirects() -> None:
    known = catalog(model("kiosk", "Q4_K_M", "Q8_0", "F16"), help="support:q8_0", support="kiosk")
    assert known.resolve("help:f16").reference == "kiosk:f16"


def test_a_redirect_comes_before_a_model_of_its_name() -> None:
    known = catalog(model("old"), model("new"), old="new")
    assert known.resolve("old").alias == "new"


def test_an_alias_may_stand_for_another_file_of_itself() -> None:
    known = catalog(model("kiosk", "Q4_K_M", "Q8_0"), kiosk="kiosk:q8_0")
    assert known.resolve("kiosk").reference == "kiosk:q8_0"
    assert known.resolve("kiosk:q4_k_m").reference == "kiosk:q4_k_m"


def test_an_unsigned_model_is_refused_by_name_and_no_part_of_the_catalog() -> None:
    known = Catalog(
        models={},
        redirects={"support": "kiosk"},
        unsigned={"kiosk": model("kiosk")},
        refusals={"kiosk": "it is not signed"},
    )
    for name in ("kiosk", "kiosk:q8_0", "support"):
        with pytest.raises(UnsignedModelError, match="'kiosk' may not be used here: it is not"):
            known.resolve(name)
    assert not known.entries
    assert not list(known)


@given(st.text(max_size=80))
def test_any_text_is_an_alias_or_an_error_that_names_it(alias: str) -> None:
    known = load_catalog()
    if alias in known:
        assert known.resolve(alias).alias == alias
        return
    with pytest.raises((UnknownModelError, UnknownVariantError)) as caught:
        known.resolve(alias)
    if isinstance(caught.value, UnknownModelError):
        assert repr(alias) in str(caught.value)
        assert set(caught.value.near) <= set(known.aliases)


@given(words, words)
def test_a_reference_taken_apart_is_what_it_was_made_of(alias: str, quantization: str) -> None:
    assert split_reference(reference(alias, quantization)) == (alias, quantization)


@given(words, st.dictionaries(words, words, max_size=12))
def test_following_redirects_always_ends_and_never_skips_a_step(
    alias: str, redirects: dict[str, str]
) -> None:
    steps = [name for name, _ in follow(alias, redirects=redirects)]
    assert steps[0] == alias
    assert all(redirects[a] == b for a, b in pairwise(steps))
    assert len(set(steps[:-1])) == len(steps[:-1])
    assert steps[-1] in steps[:-1] or steps[-1] not in redirects
