from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bfcl.dataset import BFCLRow, ExpectedCall, GroundTruth
from smallhold.evals.bfcl.scoring import Mistake, Verdict, score_call, score_row, wrong
from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolCall, ToolSchema

PLAY = ToolSchema(
    name="play",
    description="Play songs.",
    parameters={
        "type": "object",
        "properties": {
            "artist": {"type": "string"},
            "minutes": {"type": "integer"},
            "volume": {"type": "number"},
        },
        "required": ["artist"],
    },
)
STOP = ToolSchema(name="stop", description="Stop.", parameters={"type": "object"})
SWIFT = ExpectedCall(
    name="play",
    accepted={"artist": ("Taylor Swift", "Swift"), "minutes": (20,), "volume": ("", 0.5)},
)
MAROON = ExpectedCall(name="play", accepted={"artist": ("Maroon 5",), "minutes": (15,)})


def row(*expected: ExpectedCall) -> BFCLRow:
    return row_with(expected)


def row_with(ground_truth: GroundTruth) -> BFCLRow:
    return BFCLRow(
        id="simple_1",
        messages=(Message(role=Role.USER, content="Play."),),
        tools=(PLAY, STOP),
        ground_truth=ground_truth,
    )


def play(**arguments: JsonValue) -> ToolCall:
    return ToolCall(id="1", name="play", arguments=dict(arguments))


SWIFT_CALL = play(artist="Taylor Swift", minutes=20)
MAROON_CALL = play(artist="Maroon 5", minutes=15)


def test_a_call_as_labelled_is_correct() -> None:
    assert score_row(row(SWIFT), [SWIFT_CALL]) == Verdict(correct=True, reason="")


def test_an_argument_that_may_be_left_out_may_also_be_given() -> None:
    assert score_row(row(SWIFT), [play(artist="swift", minutes=20, volume=0.5)]).correct


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (ToolCall(id="1", name="stop", arguments={}), "wrong_func_name"),
        (play(minutes=20), "missing_required:artist"),
        (play(artist="Swift", minutes=20, loud=True), "unexpected_param:loud"),
        (play(artist="Swift", minutes="20"), "type:minutes"),
        (play(artist="Adele", minutes=20), "value:artist"),
        (play(artist="Swift", minutes=20, volume=0.7), "value:volume"),
        (play(artist="Swift"), "missing_optional:minutes"),
    ],
)
def test_a_wrong_call_names_its_mistake_and_the_argument(call: ToolCall, reason: str) -> None:
    assert score_row(row(SWIFT), [call]) == Verdict(correct=False, reason=reason)


def test_an_argument_of_the_schema_that_the_label_does_not_know_is_unexpected() -> None:
    call = play(artist="Maroon 5", minutes=15, volume=1.0)

    assert score_row(row(MAROON), [call]).reason == "unexpected_param:volume"


def test_an_argument_of_the_label_that_the_schema_does_not_know_is_unexpected() -> None:
    expected = ExpectedCall(name="play", accepted={"artist": ("Adele",), "loud": (True,)})

    assert score_row(row(expected), [play(artist="Adele", loud=True)]).reason == (
        "unexpected_param:loud"
    )


def test_the_name_of_a_tool_counts_to_the_letter() -> None:
    call = ToolCall(id="1", name="Play", arguments=SWIFT_CALL.arguments)

    assert score_row(row(SWIFT), [call]).reason == "wrong_func_name"


@pytest.mark.parametrize("calls", [[], [SWIFT_CALL, SWIFT_CALL]])
def test_too_few_and_too_many_calls_are_a_wrong_count(calls: list[ToolCall]) -> None:
    assert score_row(row(SWIFT), calls).reason == "wrong_count"


def test_parallel_calls_may_come_in_any_order() -> None:
    assert score_row(row(SWIFT, MAROON), [MAROON_CALL, SWIFT_CALL]).correct


def test_one_call_does_not_serve_two_labels() -> None:
    assert score_row(row(SWIFT, SWIFT), [SWIFT_CALL, MAROON_CALL]).reason == "value:artist"
    assert score_row(row(SWIFT, MAROON), [SWIFT_CALL, SWIFT_CALL]).reason == "value:artist"


def test_a_wrong_parallel_call_is_reported_with_the_mistake_of_the_last_call_compared() -> None:
    verdict = score_row(row(SWIFT, MAROON), [play(artist="Adele"), play(artist="Swift")])

    assert verdict.reason == "missing_optional:minutes"


def test_an_irrelevant_question_is_right_without_a_call_and_wrong_with_one() -> None:
    assert score_row(row_with(()), []).correct
    assert score_row(row_with(()), [SWIFT_CALL]).reason == "called_when_irrelevant"


def test_a_relevant_question_without_label_is_right_with_any_call_and_wrong_without() -> None:
    assert score_row(row_with(None), [ToolCall(id="1", name="stop", arguments={})]).correct
    assert score_row(row_with(None), []).reason == "no_call"


def test_a_tool_without_parameters_is_called_with_none() -> None:
    expected = ExpectedCall(name="stop", accepted={})
    call = ToolCall(id="1", name="stop", arguments={})

    assert score_call(call, expected=expected, tool=STOP).correct


def test_the_kind_of_a_verdict_is_its_reason_without_the_argument() -> None:
    assert wrong(Mistake.VALUE, about="a:b").kind == "value"
    assert wrong(Mistake.NO_CALL).kind == "no_call"
    assert not Verdict(correct=True).kind


@given(
    order=st.sampled_from(list(permutations(range(4)))),
    names=st.lists(st.text(alphabet="abcdefgh", min_size=1), min_size=4, max_size=4, unique=True),
)
def test_the_order_of_parallel_calls_never_counts_when_each_fits_one_label(
    order: tuple[int, ...], names: list[str]
) -> None:
    labels = [ExpectedCall(name="play", accepted={"artist": (name,)}) for name in names]
    calls = [play(artist=name) for name in names]

    assert score_row(row(*labels), [calls[i] for i in order]).correct


@given(st.permutations(["artist", "minutes", "volume"]))
def test_the_order_of_arguments_never_counts(keys: list[str]) -> None:
    values: JsonObject = {"artist": "Swift", "minutes": 20, "volume": 0.5}
    call = ToolCall(id="1", name="play", arguments={key: values[key] for key in keys})

    assert score_row(row(SWIFT), [call]).correct


@given(st.text(alphabet=" ,./-_*^", max_size=4), st.sampled_from(["Taylor", "TAYLOR", "tAYLOR"]))
def test_how_a_string_is_written_never_counts(noise: str, first_name: str) -> None:
    call = play(artist=f"{noise}{first_name}{noise}Swift{noise}", minutes=20)

    assert score_row(row(SWIFT), [call]).correct


@given(st.text(), st.text())
def test_the_id_of_a_call_never_counts(first: str, second: str) -> None:
    calls = [
        ToolCall(id=first, name="play", arguments=SWIFT_CALL.arguments),
        ToolCall(id=second, name="play", arguments=MAROON_CALL.arguments),
    ]

    assert score_row(row(SWIFT, MAROON), calls).correct
