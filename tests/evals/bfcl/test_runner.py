from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest

from smallhold.evals.bfcl.dataset import BFCLRow, ExpectedCall, GroundTruth
from smallhold.evals.bfcl.report import RowResult, build_report
from smallhold.evals.bfcl.runner import Decide, Decided, run_bfcl
from smallhold.exceptions import (
    ConfigError,
    ContextOverflowError,
    DeadlineExceededError,
    ModelOutputError,
    SmallholdError,
    UnsupportedSchemaError,
    WorkerDiedError,
)
from smallhold.messages import JsonObject, Message, Role, ToolCall, ToolSchema, Usage

pytestmark = pytest.mark.anyio

ADD = ToolSchema(
    name="add",
    description="Add one.",
    parameters={
        "type": "object",
        "properties": {"to": {"type": "integer"}},
        "required": ["to"],
    },
)


def question(number: int, ground_truth: GroundTruth) -> BFCLRow:
    content = f"Add one to {number}."
    return BFCLRow(
        id=f"simple_{number}",
        messages=(Message(role=Role.USER, content=content),),
        tools=(ADD,),
        ground_truth=ground_truth,
    )


ROWS = [question(n, (ExpectedCall(name="add", accepted={"to": (n,)}),)) for n in range(4)]
IRRELEVANT = question(9, ())


def answer(name: str, arguments: JsonObject, *, passes: int = 3) -> Decided:
    call = ToolCall(id="1", name=name, arguments=arguments)
    return Decided(calls=(call,), usage=Usage(prompt_tokens=100, passes=passes))


async def adds_to_the_number_in_the_text(row: BFCLRow) -> Decided:
    return answer("add", {"to": int(row.messages[0].content.removesuffix(".").split()[-1])})


async def always_adds_to_2(row: BFCLRow) -> Decided:
    assert row.tools == (ADD,)
    return answer("add", {"to": 2})


def fails_on(row_id: str, error: SmallholdError) -> Decide:
    async def decide(row: BFCLRow) -> Decided:
        if row.id == row_id:
            raise error
        return await adds_to_the_number_in_the_text(row)

    return decide


def correct(results: Iterable[RowResult]) -> list[bool]:
    return [result.verdict.correct for result in results]


async def test_every_row_is_asked_once_in_order_and_scored() -> None:
    results = await run_bfcl(ROWS, decide=always_adds_to_2)

    assert [result.row_id for result in results] == ["simple_0", "simple_1", "simple_2", "simple_3"]
    assert correct(results) == [False, False, True, False]
    assert results[0].verdict.reason == "value:to"
    assert results[0].calls == (ToolCall(id="1", name="add", arguments={"to": 2}),)
    assert results[0].usage == Usage(prompt_tokens=100, passes=3)


async def test_a_limit_takes_the_first_rows() -> None:
    results = await run_bfcl(ROWS, decide=adds_to_the_number_in_the_text, limit=2)

    assert [result.row_id for result in results] == ["simple_0", "simple_1"]


async def test_a_limit_beyond_the_rows_takes_all_of_them() -> None:
    assert len(await run_bfcl(ROWS, decide=always_adds_to_2, limit=100)) == len(ROWS)


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ConfigError, match="limit"):
        await run_bfcl(ROWS, decide=always_adds_to_2, limit=limit)


async def test_each_result_is_told_before_the_next_row_is_asked() -> None:
    happened: list[str] = []

    async def decide(row: BFCLRow) -> Decided:
        happened.append(f"asked {row.id}")
        return await always_adds_to_2(row)

    await run_bfcl(ROWS[:2], decide=decide, on_row=lambda result: happened.append(result.row_id))

    assert happened == ["asked simple_0", "simple_0", "asked simple_1", "simple_1"]


@pytest.mark.parametrize(
    ("name", "arguments", "is_valid"),
    [
        ("add", {"to": 7}, True),
        ("add", {"to": "7"}, False),
        ("add", {}, False),
        ("subtract", {"to": 7}, False),
    ],
)
async def test_validity_is_judged_apart_from_correctness(
    name: str, arguments: JsonObject, *, is_valid: bool
) -> None:
    async def decide(_: BFCLRow) -> Decided:
        return answer(name, arguments)

    (result,) = await run_bfcl(ROWS[:1], decide=decide)

    assert result.valid is is_valid
    assert not result.verdict.correct


@pytest.mark.parametrize(
    "error",
    [
        ContextOverflowError(prompt_tokens=9000, limit_tokens=4096),
        DeadlineExceededError(limit_s=5),
        ModelOutputError(runtime="scripted", problem="an unknown tool"),
        UnsupportedSchemaError(subject="add", detail="a lookahead"),
    ],
)
async def test_an_error_of_one_row_counts_as_a_wrong_answer_and_the_run_goes_on(
    error: SmallholdError, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        results = await run_bfcl(ROWS, decide=fails_on("simple_1", error))

    assert correct(results) == [True, False, True, True]
    assert results[1].verdict.reason == f"not_decided:{type(error).__name__}"
    assert not results[1].valid
    assert [record.message for record in caplog.records] == ["evals.bfcl.row_failed"]


async def test_an_irrelevant_row_is_not_right_because_the_run_failed_on_it() -> None:
    error = DeadlineExceededError(limit_s=5)

    (result,) = await run_bfcl([IRRELEVANT], decide=fails_on(IRRELEVANT.id, error))

    assert not result.verdict.correct


async def test_an_error_that_every_row_would_meet_ends_the_run() -> None:
    error = WorkerDiedError(model="qwen2.5-coder-0.5b", cause="signal 9")

    with pytest.raises(WorkerDiedError):
        await run_bfcl(ROWS, decide=fails_on("simple_1", error))


async def test_a_run_sums_up_to_a_report() -> None:
    results = await run_bfcl(ROWS, decide=always_adds_to_2)

    report = build_report(results, category="simple", model="scripted").to_dict()

    assert report["n"] == 4
    assert report["accuracy"] == 0.25
    assert report["valid_rate"] == 1.0
    assert report["passes_per_call"] == 3.0
    assert report["errors"] == {"value": 3}
