"""Promises of `smallhold.models.catalog.signing`: this file holds tests of signatures of models."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError, UnsignedModelError
from smallhold.models.catalog.catalog import Catalog, CatalogModel, Category, UseCase
from smallhold.models.catalog.catalog_file import load_catalog
from smallhold.models.catalog.signing import (
    SigningKey,
    canonical_form,
    only_signed,
    read_public_keys,
    refusal,
)
from smallhold.models.catalog.source_specs import FileSpec

KEY = SigningKey.generate()
KEYS = {KEY.public.key_id: KEY.public}
MODEL = load_catalog().model("qwen2.5-1.5b")
CHANGES: tuple[CatalogModel, ...] = (
    replace(MODEL, alias="other"),
    replace(MODEL, title="Other"),
    replace(MODEL, family="other"),
    replace(MODEL, parameter_count=1),
    replace(MODEL, licence="MIT"),
    replace(MODEL, context_tokens=1),
    replace(MODEL, call_dialect="llama3"),
    replace(MODEL, calibration="other"),
    replace(MODEL, use_cases=frozenset({UseCase.CODE_ASSISTANCE})),
    replace(MODEL, category=Category.HIGH_CAPABILITY),
    replace(MODEL, shape=None),
    replace(MODEL, chat_template_sha256="a" * 64),
    replace(MODEL, variants=MODEL.variants[::-1]),
    replace(MODEL, variants=MODEL.variants[1:]),
    replace(MODEL, variants=(replace(MODEL.variants[0], sha256="a" * 64), *MODEL.variants[1:])),
    replace(MODEL, variants=(replace(MODEL.variants[0], size_bytes=1), *MODEL.variants[1:])),
)


def signed(model: CatalogModel, *, key: SigningKey = KEY) -> CatalogModel:
    return replace(model, signature=key.sign(model))


def test_a_signed_model_may_be_used() -> None:
    assert refusal(signed(MODEL), keys=KEYS) is None


def test_an_unsigned_model_may_not() -> None:
    assert refusal(MODEL, keys=KEYS) == "it is not signed"


def test_a_signature_of_another_key_does_not_count() -> None:
    stranger = SigningKey.generate()
    reason = refusal(signed(MODEL, key=stranger), keys=KEYS)
    assert reason is not None
    assert stranger.public.key_id in reason


@pytest.mark.parametrize("changed", CHANGES, ids=range(len(CHANGES)))
def test_a_model_that_was_changed_after_signing_may_not_be_used(changed: CatalogModel) -> None:
    reason = refusal(replace(changed, signature=KEY.sign(MODEL)), keys=KEYS)
    assert reason == "its signature does not fit, so it is not what was signed"


def test_a_mirror_needs_no_new_signature() -> None:
    variants = tuple(replace(item, sources=(FileSpec(path="/mnt/x"),)) for item in MODEL.variants)
    assert refusal(replace(signed(MODEL), variants=variants), keys=KEYS) is None


@given(st.binary(min_size=64, max_size=64))
def test_no_other_bytes_pass_for_a_signature(signature: bytes) -> None:
    message = canonical_form(MODEL)
    assert not KEY.public.fits(signature, message=message)


@given(st.permutations([*UseCase]))
def test_the_order_of_use_cases_does_not_matter(uses: list[UseCase]) -> None:
    model = replace(MODEL, use_cases=frozenset(uses))
    assert canonical_form(model) == canonical_form(replace(MODEL, use_cases=frozenset(UseCase)))


def test_a_key_that_is_written_down_signs_the_same() -> None:
    again = SigningKey.from_pem(KEY.pem, file="key.pem")
    assert again.sign(MODEL) == KEY.sign(MODEL)
    assert read_public_keys([KEY.public.text]) == KEYS


@pytest.mark.parametrize("text", ["", "x", "YWJj", "é" * 44, "A" * 44, "A" * 43 + "\n"])
def test_a_text_that_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="44 characters"):
        read_public_keys([text])


def test_a_key_of_another_kind_does_not_sign() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in (pem, b"", b"-----BEGIN PRIVATE KEY-----\n"):
        with pytest.raises(ConfigError, match="models keygen"):
            SigningKey.from_pem(text, file="key.pem")


def test_of_a_signed_model_only_files_of_known_digest_may_be_used() -> None:
    catalog = only_signed(Catalog(models={MODEL.alias: signed(MODEL)}), keys=KEYS)
    usable = {entry.reference for entry in catalog.entries}
    assert usable == {entry.reference for entry in MODEL.entries if entry.sha256}
    with pytest.raises(UnsignedModelError, match="sha256 is not known"):
        catalog.resolve(f"{MODEL.alias}:f16")


def test_a_model_without_any_known_digest_may_not_be_used_though_signed() -> None:
    rest = tuple(variant for variant in MODEL.variants if variant.sha256 is None)
    unhashed = replace(MODEL, variants=rest)
    catalog = only_signed(Catalog(models={unhashed.alias: signed(unhashed)}), keys=KEYS)
    assert not list(catalog)
    assert "sha256" in catalog.refusals[unhashed.alias]


def test_the_packaged_models_are_unsigned_and_all_refused_where_signatures_are_required() -> None:
    catalog = only_signed(load_catalog(), keys=KEYS)
    assert not list(catalog)
    assert set(catalog.unsigned) == set(load_catalog().models)
