"""Promises of `smallhold.models.catalog_file`: this file holds tests of the catalog's format."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import CatalogError
from smallhold.models.calibration import packaged_calibration
from smallhold.models.catalog import Catalog, ModelPurpose
from smallhold.models.catalog_file import CATALOG_MAX_BYTES, load_catalog, parse_catalog
from smallhold.models.source_specs import FileSpec, HuggingFaceSpec, PypiSpec, WheelPart

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
        ("title: Tiny", "titel: Tiny", "entry 'tiny', field title"),
        ("a" * 64, "a" * 63, "entry 'tiny', field sha256"),
        ("a" * 64, "A" * 64, "entry 'tiny', field sha256"),
        ("  tiny:", "  ../tiny:", "entry '../tiny', its alias"),
        ("  tiny:", "  Tiny:", "entry 'Tiny', its alias"),
        ("version: 1", "version: 2", "field version"),
        ("kind: file", "kind: ftp", "entry 'tiny', field sources.2"),
        ("/mnt/models", "models", "entry 'tiny', field sources.2.file.path"),
        ("owner/name", "owner", "entry 'tiny', field sources.0.huggingface.repo"),
        ("file: tiny.gguf", "file: ../../x", "entry 'tiny', field sources.0.huggingface.file"),
        ("hermes", "../x", "entry 'tiny', field call_dialect"),
    ],
)
def test_a_bad_value_is_refused_with_its_place(old: str, new: str, place: str) -> None:
    assert old in GOOD
    assert refused(GOOD.replace(old, new)).place == place


@pytest.mark.parametrize(
    "requirement",
    ["tiny", "tiny>=1", "-r x==1", "--index-url=x==1", "./tiny==1", "http://x/==1", "tiny==1 -e"],
)
def test_only_an_exact_pin_of_a_package_reaches_pip(requirement: str) -> None:
    error = refused(GOOD.replace("tiny-part{part}==1.0", requirement))
    assert error.place == "entry 'tiny', field sources.1.pypi.requirement"


def test_a_model_answers_unless_its_entry_says_what_else_it_is_for() -> None:
    assert parse_catalog(GOOD.encode(), file="x").resolve("tiny").purpose is ModelPurpose.CHAT
    text = GOOD.replace("    title:", "    purpose: sentences\n    title:")
    assert parse_catalog(text.encode(), file="x").resolve("tiny").purpose is ModelPurpose.SENTENCES
    assert refused(text.replace("sentences", "poems")).place == "entry 'tiny', field purpose"


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
    assert refused(calibrated(name)).place == "entry 'tiny', field calibration"


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


def test_the_packaged_catalog_offers_the_models_that_the_documentation_names() -> None:
    assert set(load_catalog().aliases) >= {
        "smollm2-135m",
        "qwen2.5-0.5b",
        "qwen2.5-coder-0.5b",
        "qwen2.5-coder-1.5b",
        "phi-4-mini",
        "phi-3.5-mini",
        "llama3.2-1b",
        "llama3.2-3b",
        "tinyllama-1.1b",
    }


def test_every_packaged_model_can_be_verified_and_has_the_publisher_first() -> None:
    for entry in load_catalog():
        assert entry.sha256
        assert entry.size_bytes
        assert isinstance(entry.sources[0], HuggingFaceSpec)


def test_no_two_packaged_models_are_the_same_file() -> None:
    digests = [entry.sha256 for entry in load_catalog()]
    assert len(set(digests)) == len(digests)


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
        assert all(entry.sources for entry in result)
    else:
        assert result.place
