from __future__ import annotations

import math
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.agents.leftovers import leftovers, may_want_several, said_words, taken_words
from smallhold.messages import JsonObject, JsonValue, ToolCall, ToolSchema

TOOLS = (
    ToolSchema(name="get_price", description="Tell the price of a flat.", parameters={}),
    ToolSchema(name="send_letter", description="Write somebody a letter.", parameters={}),
)
BERLIN_AND_MADRID = "What is the price in Berlin and Madrid?"
WORDS = st.sampled_from([
    "Berlin", "madrid", "and", "7", "2.5", "'New York'", "price", "letter", "Both,", "The", "x.",
])  # fmt: skip
MESSAGES = st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=60)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
CALLS = st.lists(
    st.builds(
        ToolCall,
        id=st.just("1"),
        name=st.sampled_from([tool.name for tool in TOOLS]),
        arguments=st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
    ),
    max_size=3,
)


def priced(**arguments: JsonValue) -> ToolCall:
    return called("get_price", arguments)


def called(name: str, arguments: JsonObject) -> ToolCall:
    return ToolCall(id="1", name=name, arguments=arguments)


def left_of(text: str, *made: ToolCall) -> tuple[int, float]:
    """How many words are left, and their share."""
    found = leftovers(text, TOOLS, made=made)
    return round(math.expm1(found["left"])), found["left_share"]


# What no call holds


def test_a_name_is_left_until_a_call_holds_it() -> None:
    assert left_of(BERLIN_AND_MADRID, priced()) == (2, 1.0)
    assert left_of(BERLIN_AND_MADRID, priced(city="Berlin")) == (1, 0.5)
    both = (priced(city="Berlin"), priced(city="madrid"))
    assert left_of(BERLIN_AND_MADRID, *both) == (0, 0.0)
    assert left_of(BERLIN_AND_MADRID, priced(cities=["Berlin", {"next": "Madrid"}])) == (0, 0.0)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("add 2 to 3.50", 2),
        ("play 'hey jude' and \u201clet it\u201d", 4),
        ("Send it. Then wait. Berlin is nice", 0),
        ("show Me The flat Of Ada", 1),
        ("is Ada's flat free?", 1),
        ("the price of a flat", 0),
        ("Berlin", 0),
        ("in Berlin, in BERLIN", 1),
        ("", 0),
    ],
)
def test_names_numbers_and_quoted_words_are_what_can_be_left(text: str, left: int) -> None:
    assert left_of(text, priced())[0] == left


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("for 2 people", 2.0),
        ("for 2.0 people", 2),
        ("at 2.50 each", 2.5),
        ("in MADRID", "madrid"),
        ("of Netherlands", "the Netherlandish"),
        ("the 'New York' one", "New York, NY"),
        ("number 007", "7"),
    ],
)
def test_a_value_holds_what_was_said_in_another_spelling_too(text: str, value: JsonValue) -> None:
    assert left_of(text, priced())[0] > 0
    assert left_of(text, priced(x=value)) == (0, 0.0)


def test_the_names_of_arguments_hold_nothing() -> None:
    assert left_of("in Berlin", priced(Berlin="Madrid")) == (1, 1.0)


def test_truth_and_nothing_are_no_words_of_a_call() -> None:
    assert taken_words([priced(a=True, b=None, c=[False])]) == frozenset()


def test_calls_are_compared_by_the_words_of_their_values() -> None:
    first = priced(city="Berlin", rooms=2)
    assert taken_words([first]) == taken_words([priced(rooms="2.0", city=["berlin"])])
    assert taken_words([priced(city="Madrid")]) - taken_words([first])
    assert not taken_words([priced(city="Berliner")]) - taken_words([first])
    assert taken_words([]) == frozenset()


# How the message is written


@pytest.mark.parametrize(
    ("text", "joints"),
    [
        ("a lamp, a bed; AND a sofa too, sand", 4),
        ("una silla y una mesa", 1),
        ("ein Bett und dann noch eins", 1),
        ("just one lamp.", 0),
        ("", 0),
    ],
)
def test_commas_and_words_for_and_join_what_is_wanted(text: str, joints: int) -> None:
    found = leftovers(text, TOOLS, made=[priced()])
    assert found["joints"] == pytest.approx(math.log1p(joints))


@pytest.mark.parametrize(
    ("text", "counting"),
    [
        ("Both of them", 1.0),
        ("one for each, please", 1.0),
        ("Finally, a letter", 1.0),
        ("the first: a lamp", 1.0),
        ("jeweils eine Lampe", 1.0),
        ("teach me", 0.0),
        ("one lamp", 0.0),
    ],
)
def test_words_that_count_tell_a_message_for_several_calls(text: str, counting: float) -> None:
    assert leftovers(text, TOOLS, made=[priced()])["counting"] == counting


# What other tools could do


def test_what_is_left_speaks_for_a_tool_that_no_call_has_used() -> None:
    text = "The price in Berlin, and then a letter to Ada"
    wanted = leftovers(text, TOOLS, made=[priced(city="Berlin")])["unused"]
    assert wanted == pytest.approx(1 / 2)  # of "letter" and "Ada"
    sent = called("send_letter", {"to": "Ada"})
    assert leftovers(text, TOOLS, made=[priced(city="Berlin"), sent])["unused"] == 0.0


def test_a_clause_that_a_call_has_taken_up_speaks_for_no_tool() -> None:
    text = "A letter about the price in Berlin"
    assert leftovers(text, TOOLS, made=[priced()])["unused"] > 0.0
    assert leftovers(text, TOOLS, made=[priced(city="Berlin")])["unused"] == 0.0


def test_a_clause_that_no_call_could_take_up_speaks_for_its_tool() -> None:
    text = "The price in Berlin and then send a letter"
    assert leftovers(text, TOOLS, made=[priced(city="Berlin")])["unused"] > 0.0


def test_more_tools_are_more_to_choose_from() -> None:
    assert leftovers("", TOOLS, made=[priced()])["tools"] == pytest.approx(math.log(2))
    assert leftovers("", TOOLS[:1], made=[priced()])["tools"] == 0.0


# Whatever the message and the calls


@given(MESSAGES, CALLS)
@example("the 5\u00b2 of \u0663", [])
def test_what_is_left_is_always_the_same_finite_numbers(text: str, made: list[ToolCall]) -> None:
    found = leftovers(text, TOOLS, made=made)
    assert found.keys() == leftovers("", TOOLS, made=[]).keys()
    assert all(math.isfinite(value) and value >= 0.0 for value in found.values())
    assert found["left_share"] <= 1.0
    assert found["counting"] in {0.0, 1.0}


@given(MESSAGES, CALLS, CALLS)
def test_more_calls_never_leave_more(text: str, made: list[ToolCall], more: list[ToolCall]) -> None:
    before = leftovers(text, TOOLS, made=made)
    after = leftovers(text, TOOLS, made=[*made, *more])
    assert after["left"] <= before["left"]
    assert after["left_share"] <= before["left_share"]


@given(MESSAGES)
def test_a_call_that_holds_the_whole_message_leaves_nothing(text: str) -> None:
    assert left_of(text, priced(text=text)) == (0, 0.0)


def test_a_message_of_any_length_is_read_in_no_time() -> None:
    started_s = time.monotonic()
    for text in ("1" * 100_000, "A, " * 30_000, "'" * 100_000, "a. " * 30_000, " " * 100_000):
        leftovers(text, TOOLS, made=[priced(city="Berlin")])
    assert time.monotonic() - started_s < 5


@pytest.mark.parametrize("text", ["Oslo and Rome", "Oslo, then Rome", "Also Rome.", "Oslo und Rom"])
def test_a_joint_tells_that_a_message_may_want_several_calls(text: str) -> None:
    assert may_want_several(text)


@pytest.mark.parametrize("text", ["", "Oslo", "The band in Andorra", "Sandy"])
def test_without_a_joint_a_message_wants_one(text: str) -> None:
    assert not may_want_several(text)


def test_said_words_are_written_as_taken_ones() -> None:
    call = ToolCall(id="1", name="pay", arguments={"amount": 1500, "to": "Rosewood", "rate": 0.04})
    assert taken_words([call]) >= said_words("1,500 Rosewood 4")
