from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bfcl.values import (
    DeclaredType,
    JsonType,
    ValueVerdict,
    declared_type,
    judge_value,
    normalise_text,
)
from smallhold.messages import JsonObject, JsonValue

RIGHT, WRONG_TYPE, WRONG_VALUE = (
    ValueVerdict.RIGHT,
    ValueVerdict.WRONG_TYPE,
    ValueVerdict.WRONG_VALUE,
)


def judge(value: JsonValue, schema: JsonObject, *accepted: JsonValue) -> ValueVerdict:
    return judge_value(value, accepted=accepted, declared=declared_type(schema))


STRING: JsonObject = {"type": "string"}
INTEGER: JsonObject = {"type": "integer"}
NUMBER: JsonObject = {"type": "number"}
BOOLEAN: JsonObject = {"type": "boolean"}
OBJECT: JsonObject = {"type": "object"}
ARRAY: JsonObject = {"type": "array"}
STRINGS: JsonObject = {"type": "array", "items": {"type": "string"}}
NUMBERS: JsonObject = {"type": "array", "items": {"type": "number"}}
OBJECTS: JsonObject = {"type": "array", "items": {"type": "object"}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (INTEGER, DeclaredType(outer=JsonType.INTEGER)),
        ({}, DeclaredType(outer=JsonType.STRING)),
        (STRINGS, DeclaredType(outer=JsonType.ARRAY, item=JsonType.STRING)),
        ({"type": "array", "items": {}}, DeclaredType(outer=JsonType.ARRAY, item=JsonType.STRING)),
        (ARRAY, DeclaredType(outer=JsonType.ARRAY)),
        ({"type": "string", "items": INTEGER}, DeclaredType(outer=JsonType.STRING)),
    ],
)
def test_the_declared_type_is_read_one_level_deep(
    schema: JsonObject, expected: DeclaredType
) -> None:
    assert declared_type(schema) == expected


@pytest.mark.parametrize("kind", ["tuple", None, ["string", "null"], 1])
def test_a_type_that_json_does_not_have_is_refused(
    kind: str | list[JsonValue] | int | None,
) -> None:
    with pytest.raises(ValueError, match="JsonType"):
        declared_type({"type": kind})


@pytest.mark.parametrize(
    ("value", "schema", "accepted", "expected"),
    [
        ("Paris", STRING, "Paris", RIGHT),
        ("paris, FR.", STRING, "Paris FR", RIGHT),
        ("it's", STRING, 'it"s', RIGHT),
        ("2024-05-01", STRING, "2024/05/01", RIGHT),
        ("Rome", STRING, "Paris", WRONG_VALUE),
        ("Paris (FR)", STRING, "Paris FR", WRONG_VALUE),
        (5, STRING, "5", WRONG_TYPE),
        (5, INTEGER, 5, RIGHT),
        (6, INTEGER, 5, WRONG_VALUE),
        (5.0, INTEGER, 5, WRONG_TYPE),
        ("5", INTEGER, 5, WRONG_TYPE),
        (True, INTEGER, 1, WRONG_TYPE),
        (5, NUMBER, 5.0, RIGHT),
        (5, NUMBER, 5, RIGHT),
        (2.5, NUMBER, 2.5, RIGHT),
        (True, NUMBER, 1.0, WRONG_TYPE),
        (True, BOOLEAN, True, RIGHT),
        (False, BOOLEAN, True, WRONG_VALUE),
        (1, BOOLEAN, True, WRONG_TYPE),
        ("true", BOOLEAN, True, WRONG_TYPE),
        (None, STRING, "Paris", WRONG_TYPE),
        (None, STRING, None, WRONG_TYPE),
    ],
)
def test_single_values(
    value: JsonValue, schema: JsonObject, accepted: JsonValue, expected: ValueVerdict
) -> None:
    assert judge(value, schema, accepted) is expected


@pytest.mark.parametrize(
    ("value", "schema", "accepted", "expected"),
    [
        (["A", "b"], STRINGS, ["a", "B"], RIGHT),
        (["b", "a"], STRINGS, ["a", "b"], WRONG_VALUE),
        (["a"], STRINGS, ["a", "b"], WRONG_VALUE),
        ([1], STRINGS, ["a"], WRONG_TYPE),
        ("a", STRINGS, ["a"], WRONG_TYPE),
        ([], STRINGS, ["a"], WRONG_VALUE),
        ([1.5], NUMBERS, [1.5], RIGHT),
        ([1, 2], NUMBERS, [1, 2], RIGHT),
        ([1.5, 2], NUMBERS, [1.5, 2.0], WRONG_TYPE),
        (["a", 1], ARRAY, ["A", 1], RIGHT),
    ],
)
def test_arrays_compare_element_by_element_in_order(
    value: JsonValue, schema: JsonObject, accepted: JsonValue, expected: ValueVerdict
) -> None:
    assert judge(value, schema, accepted) is expected


ADDRESS: JsonObject = {"city": ["Paris", "Lyon"], "zip": ["", 75001]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"city": "paris"}, RIGHT),
        ({"city": "LYON", "zip": 75001}, RIGHT),
        ({"city": "Rome"}, WRONG_VALUE),
        ({"zip": 75001}, WRONG_VALUE),
        ({"city": "Paris", "street": "x"}, WRONG_VALUE),
        ({"city": "Paris", "zip": 1}, WRONG_VALUE),
        ({}, WRONG_VALUE),
        ("Paris", WRONG_TYPE),
    ],
)
def test_an_object_holds_an_accepted_value_under_each_key(
    value: JsonValue, expected: ValueVerdict
) -> None:
    assert judge(value, OBJECT, ADDRESS) is expected
    assert judge([value], OBJECTS, [ADDRESS]) is expected


def test_an_array_of_objects_has_as_many_objects_as_the_label() -> None:
    paris: JsonObject = {"city": "Paris"}

    assert judge([paris, paris], OBJECTS, [ADDRESS, ADDRESS]) is RIGHT
    assert judge([paris], OBJECTS, [ADDRESS, ADDRESS]) is WRONG_VALUE
    assert judge([], OBJECTS, [ADDRESS]) is WRONG_VALUE


def test_any_of_the_accepted_values_will_do() -> None:
    assert judge("NYC", STRING, "New York", "NYC") is RIGHT
    assert judge(["b"], STRINGS, ["a"], ["b"]) is RIGHT
    assert judge({"k": 2}, OBJECT, {"k": [1]}, {"k": [2]}) is RIGHT


def test_an_empty_value_is_as_good_as_leaving_the_argument_out() -> None:
    assert judge("", STRING, "", "Paris") is RIGHT
    assert judge([], STRINGS, "", ["a"]) is RIGHT
    assert judge("Rome", STRING, "") is WRONG_VALUE


def test_a_label_of_another_type_than_the_declared_one_is_compared_literally() -> None:
    # In the original data such labels are the names of variables.
    assert judge("Load_Data", INTEGER, "Load_Data") is RIGHT
    assert judge("load data", INTEGER, "Load_Data") is WRONG_VALUE
    assert judge(5, INTEGER, "Load_Data") is WRONG_VALUE
    assert judge(5.0, INTEGER, "Load_Data") is WRONG_TYPE


json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
declared_types = st.builds(
    DeclaredType, outer=st.sampled_from(JsonType), item=st.none() | st.sampled_from(JsonType)
)


@given(value=json_values, accepted=st.lists(json_values, max_size=4), declared=declared_types)
def test_every_value_gets_a_verdict_under_every_label(
    value: JsonValue, accepted: list[JsonValue], declared: DeclaredType
) -> None:
    assert judge_value(value, accepted=accepted, declared=declared) in ValueVerdict


@given(
    value=json_values,
    accepted=st.lists(json_values, min_size=1, max_size=4),
    more=st.lists(json_values, max_size=3),
    declared=declared_types,
)
def test_a_longer_list_of_accepted_values_never_turns_right_into_wrong(
    value: JsonValue, accepted: list[JsonValue], more: list[JsonValue], declared: DeclaredType
) -> None:
    label = [option for option in accepted if option not in ("", None)]
    if label and judge_value(value, accepted=label, declared=declared) is RIGHT:
        assert judge_value(value, accepted=[*label, *more], declared=declared) is RIGHT


@given(text=st.text(), noise=st.lists(st.sampled_from(" ,./-_*^"), max_size=6), data=st.data())
def test_punctuation_anywhere_in_a_string_does_not_count(
    text: str, noise: list[str], data: st.DataObject
) -> None:
    noisy = text
    for mark in noise:
        at = data.draw(st.integers(min_value=0, max_value=len(noisy)))
        noisy = noisy[:at] + mark + noisy[at:]

    assert normalise_text(noisy) == normalise_text(text)
    assert judge(noisy, STRING, text) is RIGHT


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_case_and_the_kind_of_quote_do_not_count(text: str) -> None:
    assert judge(text.upper(), STRING, text.lower()) is RIGHT
    assert judge(text.replace('"', "'"), STRING, text) is RIGHT
    assert judge([text.swapcase()], STRINGS, [text]) is RIGHT
    assert judge({"key": text.swapcase()}, OBJECT, {"key": [text]}) is RIGHT


@given(st.text())
def test_no_mark_that_does_not_count_is_left_after_normalising(text: str) -> None:
    assert not set(normalise_text(text)) & set(" ,./-_*^'")


@given(st.integers())
def test_a_whole_number_serves_where_a_number_is_declared(number: int) -> None:
    if abs(number) < 2**53:
        assert judge(number, NUMBER, float(number)) is RIGHT
        assert judge(number, NUMBER, number) is RIGHT


def test_an_integer_beyond_the_range_of_floats_is_wrong_where_a_number_is_declared() -> None:
    assert judge(10**400, NUMBER, 2.5) is WRONG_TYPE
    assert judge(10**400, NUMBER, 2) is WRONG_VALUE
