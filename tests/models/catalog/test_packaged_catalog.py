"""Promises about the catalog in the package: this file holds checks of its data."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from smallhold.models import ModelPurpose, ModelStore, load_catalog, read_gguf_header
from smallhold.models.catalog.catalog import CatalogModel, Category, ModelFormat, UseCase
from smallhold.models.catalog.catalog_file import PACKAGED_FOLDER
from smallhold.models.catalog.source_specs import HuggingFaceSpec
from smallhold.models.fit.shape import ModelShape
from smallhold.runtimes import DIALECTS
from smallhold.settings import load_settings

CATALOG = load_catalog()
CHATS = [model for model in CATALOG if model.purpose is ModelPurpose.CHAT]
UNTIED = {
    "codellama-7b", "llama3.1-8b", "phi-3.5-mini", "qwen2.5-7b", "qwen2.5-coder-7b", "qwen3-8b",
    "tinyllama-1.1b",
}  # fmt: skip
"""Models whose output layer is not their table of embeddings. Source: `tie_word_embeddings` in
their config.json."""
SMALL = 10_000_000_000
COMMIT = re.compile("[0-9a-f]{40}")


def weights_of(shape: ModelShape, *, is_tied: bool) -> int:
    """Count the weights of a decoder of this shape; source: the models' code in transformers."""
    width = shape.embedding_length
    queries = shape.head_count * shape.key_length
    keys = shape.head_count_kv * shape.key_length
    attention = 2 * width * (queries + keys)
    attention += queries + 2 * keys if shape.architecture == "qwen2" else 0
    attention += 2 * shape.key_length if shape.architecture in {"qwen3", "gemma3", "lfm2"} else 0
    convolution = 4 * width * width + 3 * width
    norms = 4 * width if shape.architecture == "gemma3" else 2 * width
    layers = shape.kv_layers * attention + (shape.block_count - shape.kv_layers) * convolution
    layers += shape.block_count * (3 * width * shape.feed_forward_length + norms)
    return (1 if is_tied else 2) * shape.vocabulary_size * width + layers + width


def test_there_are_models_of_every_family_for_every_use_case_and_category() -> None:
    assert len(CHATS) >= 25
    assert {model.family.rstrip("0123456789.-") for model in CATALOG} >= {
        "codegemma", "codellama", "gemma", "granite", "lfm", "llama", "phi", "qwen", "smollm",
        "tinyllama",
    }  # fmt: skip
    assert {use for model in CHATS for use in model.use_cases} == set(UseCase)
    assert {model.category for model in CHATS} == set(Category)


def test_there_are_variants_of_every_usual_quantization_and_format() -> None:
    known = Counter(entry.quantization for entry in CATALOG.entries)
    for name in ("Q2_K", "Q4_0", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q8_0", "F16"):
        assert known[name] >= 10, name
    assert {entry.format for entry in CATALOG.entries} == set(ModelFormat)


def test_the_models_that_the_documentation_names_are_there() -> None:
    assert set(CATALOG.aliases) >= {
        "smollm2-135m", "qwen2.5-0.5b", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "phi-4-mini",
        "phi-3.5-mini", "llama3.2-1b", "llama3.2-3b", "tinyllama-1.1b", "all-minilm-l6-v2",
    }  # fmt: skip


@pytest.mark.parametrize("model", CHATS, ids=lambda model: model.alias)
def test_a_model_has_exactly_as_many_weights_as_its_shape_says(model: CatalogModel) -> None:
    assert model.shape is not None
    counted = weights_of(model.shape, is_tied=model.alias not in UNTIED)
    assert counted == model.parameter_count


@pytest.mark.parametrize("model", CHATS, ids=lambda model: model.alias)
def test_a_model_is_small_and_runs_in_our_own_engine_by_default(model: CatalogModel) -> None:
    assert model.parameter_count < SMALL
    assert model.default.format is ModelFormat.GGUF
    assert model.category is not None
    assert model.call_dialect in DIALECTS


def test_an_ultra_light_model_has_less_than_a_billion_weights() -> None:
    for model in CHATS:
        is_light = model.parameter_count < 900_000_000
        is_specialist = model.category is Category.CODE_SPECIALIST
        assert is_light == (model.category is Category.ULTRA_LIGHT) or is_specialist, model.alias


def test_the_file_that_an_alias_means_can_be_checked() -> None:
    assert [model.alias for model in CATALOG if model.default.sha256 is None] == []


def test_a_file_that_cannot_be_checked_can_never_come_to_mean_another_one() -> None:
    for entry in CATALOG.entries:
        for spec in entry.sources if entry.sha256 is None else ():
            assert isinstance(spec, HuggingFaceSpec), entry.reference
            assert COMMIT.fullmatch(spec.revision), entry.reference


def test_every_file_has_the_publishers_hub_first() -> None:
    assert all(isinstance(entry.sources[0], HuggingFaceSpec) for entry in CATALOG.entries)


def test_no_two_files_are_the_same() -> None:
    digests = [entry.sha256 for entry in CATALOG.entries if entry.sha256]
    assert len(set(digests)) == len(digests)
    places = [
        (spec.repo, spec.file)
        for entry in CATALOG.entries
        for spec in entry.sources
        if isinstance(spec, HuggingFaceSpec)
    ]
    assert len(set(places)) == len(places)


def test_a_quantization_is_part_of_the_name_of_its_file() -> None:
    for entry in CATALOG.entries:
        first = entry.sources[0]
        if entry.format is not ModelFormat.GGUF or not isinstance(first, HuggingFaceSpec):
            continue
        assert "{" not in first.file
        name = entry.quantization.lower().replace("f16", "16")
        assert name in first.file.lower(), entry.reference


def test_each_family_has_a_file_of_a_size_that_people_can_read() -> None:
    folder = resources.files("smallhold.models.catalog").joinpath(PACKAGED_FOLDER)
    texts = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    assert all(name.endswith(".yaml") for name in texts)
    assert max(len(text.splitlines()) for text in texts.values()) <= 600
    assert sum(map(len, texts.values())) < 256_000


@pytest.mark.parametrize("alias", ["smollm2-135m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"])
def test_what_the_catalog_says_of_a_model_is_what_its_file_says(alias: str) -> None:
    model = CATALOG.model(alias)
    path: Path | None = ModelStore(load_settings().model_store).find(model.default)
    if path is None:
        pytest.skip(f"{alias} is not installed")
    header = read_gguf_header(path)
    shape = ModelShape.of(header)
    assert model.shape is not None
    for name in (
        "architecture", "block_count", "embedding_length", "feed_forward_length", "head_count",
        "head_count_kv", "key_length", "value_length", "vocabulary_size", "context_length",
        "kv_layers", "recurrent_layers", "sliding_window",
    ):  # fmt: skip
        assert getattr(shape, name) == getattr(model.shape, name), name
    template = header.chat_template
    assert template is not None
    assert model.chat_template_sha256 == hashlib.sha256(template.encode()).hexdigest()
