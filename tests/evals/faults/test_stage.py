"""Promises of `smallhold.evals.faults.stage`: this file holds tests of a case under way."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.faults import Answer, Calls, Endless, Form, Hangs, Line, Stage, cases_named
from smallhold.evals.faults.desk import Parcel
from smallhold.evals.faults.judging import effect
from smallhold.evals.faults.stage import ModelRefusesError, json_object, jsonable, spoken
from smallhold.exceptions import ContextOverflowError, ToolDefinitionError
from smallhold.messages import JsonValue, Role

(LOOP,) = cases_named(["same_call_for_ever"])
(HANGING,) = cases_named(["tool_hangs"])
ASKED = [Line(role=Role.USER, text=LOOP.exchanges[0].text)]
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


class Colour(Enum):
    RED = "red"


def test_the_model_is_asked_only_as_often_as_the_case_allows() -> None:
    stage = Stage(replace(LOOP, limits=replace(LOOP.limits, model_calls=2)))
    for _ in range(2):
        stage.reply(ASKED, tools=["get_weather"])
    with pytest.raises(ModelRefusesError):
        stage.reply(ASKED, tools=["get_weather"])
    assert stage.was_refused
    assert stage.model_calls == 2


def test_a_model_that_is_offered_no_tool_speaks_instead_of_calling() -> None:
    assert isinstance(Stage(LOOP).reply(ASKED, tools=["get_weather"]), Calls)
    assert isinstance(Stage(LOOP).reply(ASKED, tools=[]), Answer)


def test_a_prompt_beyond_the_context_is_refused_on_native_calls() -> None:
    long = [*ASKED, Line(role=Role.TOOL, text="x" * 4 * LOOP.limits.context_tokens)]
    with pytest.raises(ContextOverflowError):
        Stage(LOOP).reply(long, tools=[])
    assert Stage(LOOP, form=Form.OWN_DECODER).reply(long, tools=[])


def test_what_a_tool_does_is_noted_even_if_it_then_fails() -> None:
    (case,) = cases_named(["tool_raises"])
    stage = Stage(case)
    with pytest.raises(OSError, match="locked"):
        stage.act("order_status", {"order_id": "1042"})
    assert stage.effects == (effect("order_status", order_id="1042"),)


def test_a_tool_that_the_case_does_not_describe_is_an_error_of_the_case() -> None:
    with pytest.raises(ToolDefinitionError, match="order_status"):
        Stage(LOOP).act("order_status", {"order_id": "1042"})


def test_a_tool_that_hangs_is_let_go_when_the_stage_closes() -> None:
    stage = Stage(HANGING)
    ended = threading.Event()

    def act() -> None:
        with pytest.raises(Hangs):
            stage.act("order_status", {"order_id": "1042"})
        ended.set()

    thread = threading.Thread(target=act)
    thread.start()
    assert not ended.wait(0.05)
    stage.close()
    thread.join()
    assert ended.is_set()


def test_typed_arguments_are_noted_as_json() -> None:
    parcel = Parcel(street="Main Street 5", city="Paris")
    assert jsonable(parcel) == {"street": "Main Street 5", "city": "Paris"}
    assert jsonable(date(2027, 5, 3)) == "2027-05-03"
    assert jsonable((1, Colour.RED)) == [1, "Colour.RED"]


@given(JSON)
def test_json_is_noted_as_it_is(value: JsonValue) -> None:
    assert jsonable(value) == value
    assert json_object(json.dumps(value)) == (value if isinstance(value, dict) else None)


def test_what_is_not_json_is_no_object() -> None:
    assert json_object("{city: Paris") is None


def test_an_endless_reply_fills_the_limit_and_is_cut() -> None:
    assert spoken(Endless(phrase="and so on "), max_tokens=30) == ("and so on " * 10, True)
    assert spoken(Answer(text="yes"), max_tokens=1) == ("yes", False)
    assert spoken(Calls(wishes=(), text="wait", is_cut=True), max_tokens=1) == ("wait", True)
