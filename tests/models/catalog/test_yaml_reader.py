"""Promises of `smallhold.models.catalog.yaml_reader`:
this file holds tests of values with their lines.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import CatalogError
from smallhold.models.catalog.yaml_reader import MAX_DEPTH, YamlDocument, read_yaml

keys = st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=8)
scalars = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False)
)
documents = st.recursive(
    scalars,
    lambda child: st.lists(child, max_size=4) | st.dictionaries(keys, child, max_size=4),
    max_leaves=15,
)


def refused(text: bytes) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        read_yaml(text, file="x.yaml")
    return caught.value


def read(text: bytes) -> YamlDocument | CatalogError:
    """A document or its clear error; anything else fails the test."""
    try:
        return read_yaml(text, file="x")
    except CatalogError as error:
        return error


def reached(value: Any, place: tuple[int | str, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def test_every_value_knows_its_line() -> None:
    document = read_yaml(b"a: 1\nb:\n  - x\n  - c: 2\n", file="x")
    assert document.value == {"a": 1, "b": ["x", {"c": 2}]}
    lines = {place: span.line for place, span in document.spans.items()}
    assert lines == {
        (): 1, ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4,
    }  # fmt: skip


def test_what_is_not_in_the_text_has_the_line_of_what_is_around_it() -> None:
    document = read_yaml(b"a:\n  b: 1\n", file="x")
    assert document.line(("a", "b", "kind", "c")) == 2
    assert document.line(("a", "missing")) == 1
    assert document.line(("other",)) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a: &a [1]\nb: [*a, *a]\n", "aliases"),
        (b"a: 1\nb: 2\na: 3\n", "'a' is there twice"),
        (b"!!python/object/apply:os.getcwd []", "not allowed"),
        (b"a: !!python/name:os.system\n", "constructor"),
        (b"? [a, b]\n: 1\n", "a key must be a word"),
        (b"a: 1\n---\nb: 2\n", "second document"),
        (b"a: [\n", "expected"),
        (b"a: \xff\n", "utf-8"),
        (b"a: 2001-99-99\n", "month"),
        (b"a: !!set {b, c}\n", "not allowed"),
    ],
)
def test_what_makes_a_catalog_lie_is_refused(text: bytes, problem: str) -> None:
    assert problem in refused(text).problem


def test_a_repeated_key_is_refused_with_its_line() -> None:
    assert refused(b"a: 1\nb:\n  c: 1\n  c: 2\n").place == "line 4"


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- "])
def test_text_that_is_nested_deeply_is_refused_and_ends_no_process(opening: bytes) -> None:
    assert f"{MAX_DEPTH} levels" in refused(opening * 100_000).problem


def test_an_empty_text_is_no_value() -> None:
    assert read_yaml(b"# nothing\n", file="x").value is None


def test_a_mark_of_the_byte_order_is_no_part_of_the_text() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: 1\n", file="x").value == {"a": 1}


@given(documents)
def test_what_yaml_writes_is_read_back(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True).encode()
    document = read_yaml(text, file="x")
    expected = yaml.safe_load(text)
    assert document.value == expected


@given(st.dictionaries(keys, st.lists(keys, max_size=3), min_size=1, max_size=5))
def test_a_span_begins_where_the_key_stands_in_the_text(value: dict[str, list[str]]) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    document = read_yaml(text.encode(), file="x")
    for place, span in document.spans.items():
        assert text.count("\n", 0, span.start) == span.line - 1
        assert span.start <= span.end <= len(text)
        if len(place) == 1:
            key = text[span.start : span.end].partition(":")[0].strip("'\"? ")
            assert key in {str(place[0]), str(place[0]).strip()}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_clear_error(text: bytes) -> None:
    document = read(text)
    if isinstance(document, YamlDocument):
        for place in document.spans:
            reached(document.value, place)
    else:
        assert document.problem
