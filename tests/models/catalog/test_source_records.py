"""Promises of `smallhold.models.catalog.source_records`:
this file holds tests of sources in files.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from smallhold.models.catalog.source_records import SourceRecord, for_quantization, source_document
from smallhold.models.catalog.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    SourceSpec,
    WheelPart,
)

_ADAPTER: TypeAdapter[SourceRecord] = TypeAdapter(SourceRecord)

names = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,11}", fullmatch=True)
packages = st.from_regex(r"[a-z][a-z-]{0,8}[a-z]", fullmatch=True)
counts = st.integers(1, 12)


@st.composite
def wheels(draw: st.DrawFn) -> PypiSpec:
    package, padded, count = draw(packages), draw(st.booleans()), draw(counts)
    return PypiSpec(
        parts=tuple(
            WheelPart(
                requirement=f"{package}-part{number:02}==1.1" if padded else f"{package}==1.0.1",
                member=f"*/part{number:02}.bin" if padded else f"*/data-{number}.bin",
            )
            for number in range(1, count + 1)
        )
    )


specs: st.SearchStrategy[SourceSpec] = st.one_of(
    st.builds(
        HuggingFaceSpec,
        repo=st.tuples(names, names).map("/".join),
        file=names,
        revision=names,
    ),
    st.builds(FileSpec, path=names.map(lambda name: f"/mnt/{name}")),
    st.builds(HttpsSpec, url=names.map(lambda name: f"https://models.example/{name}")),
    st.builds(OllamaSpec, model=names, tag=names),
    wheels(),
)


def read(**fields: object) -> SourceSpec:
    return _ADAPTER.validate_python(fields).spec()


@given(specs)
def test_a_source_that_is_written_is_read_back(spec: SourceSpec) -> None:
    assert _ADAPTER.validate_python(source_document(spec)).spec() == spec


def test_wheels_that_follow_no_count_cannot_be_written() -> None:
    parts = (WheelPart(requirement="a==1", member="x"), WheelPart(requirement="b==1", member="x"))
    with pytest.raises(ValueError, match="no count"):
        source_document(PypiSpec(parts=parts))


def test_a_quantization_is_put_where_a_source_names_one() -> None:
    spec = read(kind="huggingface", repo="a/b", file="{quantization}/x-{QUANTIZATION}.gguf")
    filled = for_quantization(spec, quantization="Q4_K_M")
    assert filled == HuggingFaceSpec(repo="a/b", file="q4_k_m/x-Q4_K_M.gguf", revision="main")


@given(specs)
def test_a_source_that_names_no_quantization_stays_as_it_is(spec: SourceSpec) -> None:
    assert for_quantization(spec, quantization="Q4_K_M") == spec


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example/x",
        "ftp://models.example/x",
        "https://name:secret@models.example/x",
        "https:///x",
        "models.example/x",
        "https://models.example/x\n",
    ],
)
def test_an_address_that_is_unsafe_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        read(kind="https", url=url)


def test_plain_http_is_for_this_machine_alone() -> None:
    assert read(kind="https", url="http://127.0.0.1:8080/x") == HttpsSpec(
        url="http://127.0.0.1:8080/x"
    )


@pytest.mark.parametrize("name", ["../etc", "a/b/c", "", "a b", "-x", "a//b"])
def test_a_name_that_no_registry_has_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        read(kind="ollama", name=name)
