"""Promises of `smallhold.evals.bench.tool_call`: this file holds tests of the suite `tool-call`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS
from smallhold.evals.bench.rounds import Sample, Turn
from smallhold.evals.bench.tool_call import (
    OPENING,
    ROWS,
    Call,
    calls_schema,
    parse_call,
    rows_folder,
    rows_of,
    run_tool_call,
    summarize,
    timed_request,
    token_by_token,
    warming_request,
)
from smallhold.evals.bfcl.dataset import BFCLRow, parse_row
from smallhold.evals.json_schema import is_valid_json
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject

if TYPE_CHECKING:
    from tests.evals.bench.conftest import MakeSetup

pytestmark = pytest.mark.anyio


def answer(
    text: str = "yes",
    *,
    completion_tokens: int = 2,
    passes: int | None = None,
    total_s: float = 1.0,
) -> Answer:
    return Answer(
        text=text,
        prompt_tokens=10,
        cached_tokens=0,
        completion_tokens=completion_tokens,
        passes=passes,
        arrivals_s=(total_s,),
        total_s=total_s,
    )


def tool(name: str) -> JsonObject:
    parameters: JsonObject = {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]}},
        "required": ["city"],
    }
    function: JsonObject = {"name": name, "description": f"{name} now", "parameters": parameters}
    return {"type": "function", "function": function}


LINE = json.dumps({
    "id": "multiple_0",
    "messages": [{"role": "user", "content": "How is the weather in Oslo?"}],
    "tools": [tool("population"), tool("weather")],
    "ground_truth": [{"weather": {"city": ["Oslo"]}}],
})
ROW: BFCLRow = parse_row(LINE.encode())
RIGHT = '{"name": "weather", "arguments": {"city": "Oslo"}}'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "bfcl").mkdir()
    (tmp_path / "bfcl" / "multiple.jsonl").write_text(f"{LINE}\n", "utf-8")
    return tmp_path


def sample(name: str, call: Call) -> Sample[Call]:
    return Sample(turn=Turn(name=name, round=0, item=0), value=call)


@pytest.mark.parametrize(
    ("call", "valid"),
    [
        ({"name": "weather", "arguments": {"city": "Oslo"}}, "valid"),
        ({"name": "weather", "arguments": {"city": "Lima"}}, "wrong"),
        ({"name": "weather", "arguments": {"city": "Oslo", "day": 1}}, "wrong"),
        ({"name": "elsewhere", "arguments": {"city": "Oslo"}}, "wrong"),
        ({"name": "weather"}, "wrong"),
        ({"name": "weather", "arguments": {"city": "Oslo"}, "more": 1}, "wrong"),
    ],
)
def test_the_schema_allows_calls_of_the_tools_and_nothing_else(
    call: JsonObject, valid: str
) -> None:
    assert is_valid_json(call, calls_schema(ROW.tools)) is (valid == "valid")


def test_a_call_is_read_from_json_of_any_spacing() -> None:
    call = parse_call(' {\n "name": "weather",\n "arguments": {"city": "Oslo"}\n}')
    assert call is not None
    assert (call.name, call.arguments) == ("weather", {"city": "Oslo"})


@given(st.text() | st.sampled_from(["[]", "{}", '{"name": 1}', '{"name": "a", "arguments": []}']))
def test_text_that_is_no_call_is_none(text: str) -> None:
    assert parse_call(text) is None


def test_both_requests_share_everything_before_the_message() -> None:
    warming, timed = warming_request(ROW), timed_request(ROW)
    assert warming.prompt.tools == timed.prompt.tools
    assert warming.prompt.messages[:-1] == timed.prompt.messages[:-1]
    assert warming.prompt.messages[-1] != timed.prompt.messages[-1]
    assert timed.prompt.continuation == OPENING


def test_token_by_token_counts_a_pass_for_the_prompt() -> None:
    assert token_by_token(answer(completion_tokens=30)) == 31


def test_the_ratio_compares_passes_with_tokens_and_time_with_the_best_peer() -> None:
    samples = [
        sample(OURS, Call(row=ROW, answer=answer(RIGHT, completion_tokens=19, passes=5))),
        sample("slow", Call(row=ROW, answer=answer(RIGHT, total_s=8.0))),
        sample("fast", Call(row=ROW, answer=answer("nothing", total_s=4.0))),
    ]
    standings = summarize(samples, peers=("slow", "fast"))
    assert standings.ratio == {"passes": 0.25, "time": 0.25}
    assert standings.ours["right"] == 1
    assert standings.peers["slow"]["equal_to_ours"] == 1
    assert standings.peers["fast"]["equal_to_ours"] == 0


def test_a_refused_schema_counts_as_failed() -> None:
    samples = [
        sample(OURS, Call(row=ROW, answer=answer(RIGHT, passes=5))),
        sample("peer", Call(row=ROW, answer=None)),
    ]
    standings = summarize(samples, peers=("peer",))
    assert standings.peers["peer"]["failed"] == 1
    assert standings.ratio["time"] is None


def test_rows_are_found_in_a_folder_of_sets_or_named_directly(data: Path) -> None:
    assert rows_folder(data) == rows_folder(data / "bfcl") == data / "bfcl"


def test_without_a_folder_as_many_rows_are_made_up() -> None:
    rows = rows_of(None)
    assert len(rows) == len({row.id for row in rows}) == ROWS


def test_a_folder_s_own_rows_are_read(data: Path) -> None:
    assert rows_of(data) == (ROW,)


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="multiple"):
        rows_of(tmp_path)


async def test_a_run_without_peers_measures_ours(data: Path, make_setup: MakeSetup) -> None:
    report = await run_tool_call(make_setup(data=data, scripts=data))
    document = report.to_dict()
    assert set(report.missing_peers) == {"llama-server", "llama-cpp-python"}
    assert document["peers"] == {}
    assert report.standings.ratio["time"] is None
    passes = report.standings.ratio["passes"]
    assert passes is not None
    assert 0 < passes < 1
    assert report.standings.ours["failed"] == 0
    assert report.standings.ours["rows"] == "BFCL multiple"


@pytest.mark.slow
async def test_ours_and_peers_make_the_same_call(data: Path, make_setup: MakeSetup) -> None:
    pytest.importorskip("xllamacpp")
    report = await run_tool_call(make_setup(data=data))
    assert list(report.to_dict()) == ["suite", "model", "rounds", "ours", "peers", "ratio"]
    assert {"passes", "time"} <= report.standings.ratio.keys()
    for figures in report.standings.peers.values():
        assert figures["calls"] == figures["equal_to_ours"] == 1
