from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, JsonValue
from smallhold.state.approvals import hash_arguments

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
finite = scalars.filter(lambda value: value not in {float("inf"), float("-inf")})
values: st.SearchStrategy[JsonValue] = st.recursive(
    finite, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
objects: st.SearchStrategy[JsonObject] = st.dictionaries(st.text(), values, max_size=4)


def test_the_hash_is_sha_256_of_sorted_json() -> None:
    # printf '{"a":"\\u00e9","b":1}' | sha256sum
    assert hash_arguments({"b": 1, "a": "é"}) == (
        "6d9eb45284090145dc16661b06abe01185a16a7dabba07c992a131bffa6b8114"
    )


@given(objects)
def test_the_order_of_keys_does_not_matter(arguments: JsonObject) -> None:
    turned = dict(reversed(arguments.items()))
    assert hash_arguments(turned) == hash_arguments(arguments)


@given(objects)
def test_a_stored_and_read_object_has_the_same_hash(arguments: JsonObject) -> None:
    assert hash_arguments(json.loads(json.dumps(arguments))) == hash_arguments(arguments)


@given(objects, objects)
def test_different_arguments_have_different_hashes(one: JsonObject, other: JsonObject) -> None:
    same_text = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (hash_arguments(one) == hash_arguments(other)) == same_text


def test_every_digit_of_a_large_integer_counts() -> None:
    assert hash_arguments({"n": 2**60}) != hash_arguments({"n": 2**60 + 1})


def test_half_a_character_from_a_model_can_be_hashed() -> None:
    assert len(hash_arguments({"text": "\ud800"})) == 64


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}])
def test_what_is_no_json_is_refused_without_showing_it(value: object) -> None:
    arguments: dict[str, object] = {"secret word": value}
    with pytest.raises(ConfigError, match="plain JSON") as failure:
        hash_arguments(arguments)  # pyright: ignore[reportArgumentType] - that is the point
    assert "secret word" not in str(failure.value)
