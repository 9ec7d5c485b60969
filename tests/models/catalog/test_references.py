"""Promises of `smallhold.models.catalog.references`:
this file holds tests of what a user may write.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.models.catalog.references import (
    CatalogReference,
    FileReference,
    check_alias,
    is_loopback,
    parse_reference,
    suggested_alias,
)
from smallhold.models.catalog.source_specs import (
    OLLAMA_REGISTRY,
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    SourceSpec,
)

SHA256 = "ab" * 32
PARTS = st.sampled_from([
    "hf:",
    "ollama:",
    "https://",
    "a",
    "/",
    ":",
    "@",
    "..",
    "#",
    "%",
    "é",
    "\0",
])


def test_an_alias_is_one_of_the_catalog() -> None:
    assert parse_reference("qwen2.5-coder-0.5b") == CatalogReference(alias="qwen2.5-coder-0.5b")


def test_an_alias_with_a_quantization_is_one_file_of_it() -> None:
    expected = CatalogReference(alias="smollm2-135m", quantization="q8_0")
    assert parse_reference("smollm2-135m:q8_0") == expected


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (
            "hf:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf",
            HuggingFaceSpec(repo="Qwen/Qwen3-0.6B-GGUF", file="Qwen3-0.6B-Q8_0.gguf"),
        ),
        (
            "hf:o/r/some folder/f.gguf@refs/pr/1",
            HuggingFaceSpec(repo="o/r", file="some folder/f.gguf", revision="refs/pr/1"),
        ),
        ("ollama:llama3.2", OllamaSpec(model="llama3.2")),
        ("ollama:someone/x:1b-q4_K_M", OllamaSpec(model="someone/x", tag="1b-q4_K_M")),
        (
            "ollama:hf.co/o/r:Q4_K_M",
            OllamaSpec(model="o/r", tag="Q4_K_M", registry="https://hf.co"),
        ),
        (
            "ollama:127.0.0.1:5000/library/x",
            OllamaSpec(model="library/x", registry="http://127.0.0.1:5000"),
        ),
        ("https://h.org/x.gguf?sig=1", HttpsSpec(url="https://h.org/x.gguf?sig=1")),
        ("http://127.0.0.1:8/x.gguf", HttpsSpec(url="http://127.0.0.1:8/x.gguf")),
        ("/models/my file.gguf", FileSpec(path="/models/my file.gguf")),
    ],
)
def test_a_place_names_one_file(text: str, source: SourceSpec) -> None:
    reference = parse_reference(text)
    assert isinstance(reference, FileReference)
    assert reference.source == source


def test_an_address_may_carry_the_digest() -> None:
    reference = parse_reference(f"https://h.org/x.gguf#sha256={SHA256}")
    assert isinstance(reference, FileReference)
    assert reference.sha256 == SHA256
    assert reference.source == HttpsSpec(url="https://h.org/x.gguf")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "reference"),
        ("x" * 3000, "reference"),
        ("UPPER", "reference, alias"),
        ("../../etc/passwd", "reference, alias"),
        ("s3://bucket/x.gguf", "reference, alias"),
        ("alias:", "reference, quantization"),
        ("alias:q4/../..", "reference, alias"),
        ("alias:q4..", "reference, quantization"),
        ("hf:owner", "reference, repository"),
        ("hf:../r/f.gguf", "reference, repository"),
        ("hf:o/r", "reference, file"),
        ("hf:o/r/", "reference, file"),
        ("hf:o/r/../../x.gguf", "reference, file"),
        ("hf:o/r/a//b.gguf", "reference, file"),
        ("hf:o/r/a%2e%2e/b.gguf", "reference, file"),
        ("hf:o/r/a\\b.gguf", "reference, file"),
        ("hf:o/r/f.gguf?x=1", "reference, file"),
        ("hf:o/r/f.gguf@", "reference, revision"),
        ("hf:o/r/f.gguf@../x", "reference, revision"),
        ("hf:o/r/f.gguf@a b", "reference, revision"),
        ("hf:o/r/f-00001-of-00003.gguf", "reference, file"),
        ("ollama:", "reference, name"),
        ("ollama:../x", "reference, name"),
        ("ollama:a/b/c/d", "reference, name"),
        ("ollama:x:", "reference, tag"),
        ("ollama:x:a/b", "reference, tag"),
        ("ollama:x:a\nb", "reference, tag"),
        ("ollama:user@host/a/b", "reference, registry"),
        ("ollama:h:99999/a/b", "reference, registry"),
        ("https://", "reference, URL"),
        ("https://h.org/", "reference, URL"),
        ("https://u:p@h.org/x", "reference, URL"),
        ("https://h.org/a b", "reference, URL"),
        ("https://[::1/x", "reference, URL"),
        ("http://h.org/x.gguf", "reference, URL"),
        ("http://127.0.0.1.evil.org/x", "reference, URL"),
        ("https://h.org/x#sha256=abc", "reference, sha256"),
        ("https://h.org/x#other", "reference, sha256"),
        ("/models/", "reference, path"),
        ("/models/a\0b", "reference, path"),
    ],
)
def test_a_hostile_or_broken_reference_is_refused_by_field(text: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_reference(text)
    assert caught.value.field == field
    assert caught.value.remedy


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_reference("https://someone:canary@example.org/x.gguf")
    assert "canary" not in str(caught.value)


@given(st.text(max_size=80) | st.lists(PARTS, max_size=8).map("".join))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ConfigError as error:
        assert error.field.startswith("reference")  # noqa: PT017 - both outcomes are fine
        return
    assert check_alias(reference.alias, field="alias") == reference.alias
    if isinstance(reference, FileReference) and isinstance(reference.source, HuggingFaceSpec):
        assert ".." not in reference.source.file.split("/")


@pytest.mark.parametrize(
    ("name", "alias", "quantization"),
    [
        ("Qwen3-0.6B-Q8_0.gguf", "qwen3-0.6b", "Q8_0"),
        ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "qwen2.5-coder-0.5b-instruct", "Q4_K_M"),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct", "Q4_1"),
        ("gemma-3-1b-it-UD-IQ2_XXS.gguf", "gemma-3-1b-it", "IQ2_XXS"),
        ("model-f16.gguf", "model", "F16"),
        ("model-fp16.gguf", "model", "F16"),
        ("gpt-oss-20b-MXFP4.gguf", "gpt-oss-20b", "MXFP4"),
        ("q8_0.gguf", "model", "Q8_0"),
        ("model.safetensors", "model.safetensors", None),
        ("Ä ö.gguf", "model", None),
        ("x" * 100 + ".gguf", "x" * 64, None),
    ],
)
def test_a_file_s_name_gives_alias_and_quantization(
    name: str, alias: str, quantization: str | None
) -> None:
    assert suggested_alias(name) == (alias, quantization)


@given(st.text(max_size=100))
def test_any_name_gives_an_alias(name: str) -> None:
    alias, _ = suggested_alias(name)
    assert check_alias(alias, field="alias") == alias


@pytest.mark.parametrize("alias", ["", "UPPER", "-x", "a/b", "a:b", "x" * 65, "a\n"])
def test_a_name_that_can_be_no_alias_is_refused(alias: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_alias(alias, field="--as")
    assert caught.value.field == "--as"


def test_this_machine_is_known_by_all_its_names() -> None:
    assert all(
        is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "LocalHost", "[::1]")
    )
    assert not any(is_loopback(host) for host in (None, "", "10.0.0.1", "localhost.example.org"))


def test_the_default_registry_is_ollama_s_own() -> None:
    assert OllamaSpec(model="x").registry == OLLAMA_REGISTRY
