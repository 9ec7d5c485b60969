"""Promises of `smallhold.models.catalog.source_specs`:
this file holds tests of the sources' names.
"""

from __future__ import annotations

from smallhold.models.catalog.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    WheelPart,
)


def test_names_say_the_kind_of_source_and_the_thing() -> None:
    assert HuggingFaceSpec(repo="o/n", file="f.gguf").name == "huggingface:o/n/f.gguf"
    assert FileSpec(path="/mnt/f.gguf").name == "file:/mnt/f.gguf"
    assert OllamaSpec(model="llama3.2", tag="1b").name == "ollama:llama3.2:1b"
    assert OllamaSpec(model="x", registry="https://r.org").name == "ollama:r.org/x:latest"


def test_the_name_of_an_address_tells_no_signature_and_no_password() -> None:
    spec = HttpsSpec(url="https://user:secret@example.org/f.gguf?signature=secret#secret")
    assert spec.name == "https:example.org/f.gguf"


def test_a_source_in_parts_is_named_after_its_first_part() -> None:
    first, second = (WheelPart(requirement=f"p{n}==1", member="*") for n in (1, 2))
    assert PypiSpec(parts=(first,)).name == "pypi:p1==1"
    assert PypiSpec(parts=(first, second)).name == "pypi:p1==1 and 1 more"
