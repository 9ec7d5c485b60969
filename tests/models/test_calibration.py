"""Promises of `smallhold.models.calibration`: this file holds tests of how scores are weighed."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.decision import PLAIN_FURTHER
from smallhold.exceptions import CatalogError
from smallhold.messages import JsonObject, JsonValue
from smallhold.models import load_catalog
from smallhold.models.calibration import (
    Calibration,
    LinearRule,
    packaged_calibration,
    parse_calibration,
)

FILE = "site.json"
RULE: JsonObject = {"weights": {"over_answer": 0.5, "lead": -1}, "intercept": 0.25}
GOOD: JsonObject = {
    "fitted_on": "40 messages that a shop invented",
    "pick": {"weights": {"score": 1.0}, "intercept": 0.0},
    "call": RULE,
    "further": {"weights": {"over_done": 1.0}, "intercept": -1.0},
    "suits": {"weights": {}, "intercept": -2.5},
    "ask": {"weights": {"invented": 2.0}, "intercept": -1.5},
}
WEIGHTS = st.dictionaries(st.sampled_from("abcd"), st.floats(-100.0, 100.0), max_size=4)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*GOOD, "weights", "intercept", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


def parsed(value: JsonValue) -> Calibration:
    return parse_calibration(json.dumps(value).encode(), file=FILE)


def refused(text: bytes) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        parse_calibration(text, file=FILE)
    assert caught.value.file == FILE
    return caught.value


def rules_of(calibration: Calibration) -> list[LinearRule]:
    values = [getattr(calibration, field.name) for field in fields(calibration)]
    return [value for value in values if isinstance(value, LinearRule)]


def without(name: str) -> JsonObject:
    return {key: value for key, value in GOOD.items() if key != name}


# Weighing


def test_a_rule_weighs_its_features_and_adds_what_is_always_there() -> None:
    rule = LinearRule(weights={"lead": 2.0, "words": -1.0}, intercept=0.5)
    assert rule({"lead": 3.0, "words": 1.0, "tools": 100.0}) == pytest.approx(5.5)


def test_a_rule_without_weights_is_always_the_same() -> None:
    assert LinearRule(weights={}, intercept=-1.0)({"lead": 99.0}) == -1.0


def test_a_feature_that_is_not_there_is_an_error_and_no_zero() -> None:
    with pytest.raises(KeyError, match="lead"):
        LinearRule(weights={"lead": 1.0}, intercept=0.0)({"words": 1.0})


@given(WEIGHTS, st.floats(-100.0, 100.0), st.floats(-10.0, 10.0), st.sampled_from("abcd"))
def test_a_feature_counts_by_its_weight_and_by_nothing_else(
    weights: dict[str, float], intercept: float, step: float, name: str
) -> None:
    rule = LinearRule(weights=weights, intercept=intercept)
    before = dict.fromkeys("abcd", 1.0)
    gained = rule({**before, name: 1.0 + step}) - rule(before)
    assert gained == pytest.approx(weights.get(name, 0.0) * step, abs=1e-6)


def test_without_a_calibration_one_more_call_is_wanted_where_it_is_likelier_than_none() -> None:
    assert PLAIN_FURTHER({"over_done": 0.1}) >= 0.0
    assert PLAIN_FURTHER({"over_done": -0.1}) < 0.0


# Files


def test_every_rule_of_a_file_arrives() -> None:
    calibration = parsed(GOOD)
    assert calibration.fitted_on == "40 messages that a shop invented"
    assert calibration.pick({"score": 3.0}) == pytest.approx(3.0)
    assert calibration.call({"over_answer": 2.0, "lead": 1.0}) == pytest.approx(0.25)
    assert calibration.further({"over_done": 3.0}) == pytest.approx(2.0)
    assert calibration.suits({}) == -2.5
    assert calibration.ask({"invented": 1.0}) == pytest.approx(0.5)


def test_what_was_read_cannot_be_changed() -> None:
    weights = parsed(GOOD).call.weights
    with pytest.raises(TypeError):
        weights["lead"] = 9.0  # type: ignore[index]  # pyright: ignore[reportIndexIssue] - the point


@pytest.mark.parametrize(
    ("value", "place"),
    [
        *((without(name), name) for name in GOOD),
        ({**GOOD, "threshold": 1.0}, "threshold"),
        ({**GOOD, "call": {"weights": {"lead": "1"}, "intercept": 0.0}}, "call.weights.lead"),
        ({**GOOD, "call": {"weights": {}, "intercept": True}}, "call.intercept"),
        ({**GOOD, "call": {"weights": {}}}, "call.intercept"),
        ({**GOOD, "further": []}, "further"),
        ({**GOOD, "hold": RULE}, "hold"),
        ([], "whole file"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_by_its_place(value: JsonValue, place: str) -> None:
    assert refused(json.dumps(value).encode()).place == place


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_weights_are_finite(number: str) -> None:
    text = json.dumps(GOOD).replace("-2.5", number)
    assert number in text
    refused(text.encode())


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"null", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    refused(text)


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_calibration_or_a_clear_error(text: bytes) -> None:
    with suppress(CatalogError):
        calibration = parse_calibration(text, file=FILE)
        assert all(math.isfinite(rule.intercept) for rule in rules_of(calibration))


# What comes with the package


def test_a_calibration_that_does_not_come_with_the_package_is_refused_by_name() -> None:
    with pytest.raises(CatalogError, match="cannot be read") as caught:
        packaged_calibration("no-such-model")
    assert "no-such-model" in caught.value.file


def test_every_calibration_that_the_catalog_names_is_there_and_says_what_it_was_fitted_on() -> None:
    catalog = load_catalog()
    named = {catalog.resolve(alias).calibration for alias in catalog.aliases} - {None}
    for name in named:
        assert name is not None
        assert packaged_calibration(name).fitted_on.strip()
