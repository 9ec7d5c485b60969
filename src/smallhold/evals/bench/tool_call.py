"""Suite `tool-call`: this file holds what one grammar-decoded call costs after a warm prefix."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS, Contestant, our_config
from smallhold.evals.bench.figures import median, milliseconds, over_best_low, percentile, ratio
from smallhold.evals.bench.peers import LLAMA_CPP_PYTHON, LLAMA_SERVER, PeerSettings
from smallhold.evals.bench.prompts import made_up_row
from smallhold.evals.bench.report import Standings, SuiteReport
from smallhold.evals.bench.rounds import Course, Sample, Turn, play, values_of
from smallhold.evals.bench.setup import BenchSetup, lineup, report_of
from smallhold.evals.bfcl import BFCLRow, read_category, score_row
from smallhold.exceptions import ModelOutputError
from smallhold.generation import GenerationRequest, JsonSchemaConstraint, Prompt
from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolCall, ToolSchema

NAME: Final = "tool-call"
ROWS: Final = 30
CATEGORY: Final = "multiple"
CONTEXT_TOKENS: Final = 4096
MAX_CALL_TOKENS: Final = 256
OPENING: Final = "<tool_call>\n"
WARM_UP: Final = "Hello, what can you do for me?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was timed."""

    row: BFCLRow
    answer: Answer | None
    """`None` where the contestant refused the schema or failed."""

    @property
    def parsed(self) -> ToolCall | None:
        """The call in the answer, `None` if there is none."""
        return None if self.answer is None else parse_call(self.answer.text)

    @property
    def is_right(self) -> bool:
        """Whether BFCL's rules count it as right."""
        return self.parsed is not None and score_row(self.row, [self.parsed]).correct


def calls_schema(tools: Sequence[ToolSchema]) -> JsonObject:
    """Write a schema of one call of any of the tools, closed against invented arguments."""
    return {"anyOf": [_call_schema(tool) for tool in tools]}


def _call_schema(tool: ToolSchema) -> JsonValue:
    return {
        "type": "object",
        "properties": {
            "name": {"const": tool.name},
            "arguments": {"additionalProperties": False, **tool.parameters},
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def parse_call(text: str) -> ToolCall | None:
    """Read a call, `None` where the text is not one."""
    try:
        value = cast("JsonValue", json.loads(text))
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    name, arguments = value.get("name"), value.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    return ToolCall(id="call", name=name, arguments=arguments)


def token_by_token(answer: Answer) -> int:
    """Passes of a decoder that evaluates every token by itself, after one pass for the prompt."""
    return answer.completion_tokens + 1


def timed_request(row: BFCLRow) -> GenerationRequest:
    """Ask for the call that a row expects."""
    return GenerationRequest(
        prompt=Prompt(messages=row.messages, tools=row.tools, continuation=OPENING),
        constraint=JsonSchemaConstraint(schema=calls_schema(row.tools)),
        max_tokens=MAX_CALL_TOKENS,
    )


def warming_request(row: BFCLRow) -> GenerationRequest:
    """Have a row's instructions and tools computed, with another message."""
    stable = tuple(message for message in row.messages if message.role is Role.SYSTEM)
    message = Message(role=Role.USER, content=WARM_UP)
    return GenerationRequest(
        prompt=Prompt(messages=(*stable, message), tools=row.tools), max_tokens=1
    )


def rows_folder(data: Path) -> Path:
    """Find BFCL's folder: the one named, or `bfcl` in it."""
    inner = data / "bfcl"
    return inner if inner.is_dir() else data


def rows_of(data: Path | None) -> tuple[BFCLRow, ...]:
    """Read BFCL's rows, or make up as many of the same kind where no folder is named.

    Raises:
        ConfigError: the folder holds no such rows.
        DatasetError: one of them is malformed.
    """
    if data is None:
        return tuple(made_up_row(number) for number in range(ROWS))
    return read_category(rows_folder(data), category=CATEGORY)


async def run_tool_call(setup: BenchSetup) -> SuiteReport:
    """Measure one call for each row; every round begins with empty caches."""
    rows = rows_of(setup.data)[: setup.at_most(ROWS)]
    entered = lineup(
        setup,
        config=our_config(setup.path, threads=setup.threads, context_tokens=CONTEXT_TOKENS),
        settings=PeerSettings(
            model=str(setup.path), threads=setup.threads, context_tokens=CONTEXT_TOKENS
        ),
        peers=(LLAMA_SERVER.name, LLAMA_CPP_PYTHON.name),
    )

    async def measure(contestant: Contestant, turn: Turn) -> Call:
        row = rows[turn.item]
        await contestant.answer(warming_request(row))
        try:
            answer = await contestant.answer(timed_request(row))
        except ModelOutputError:
            return Call(row=row, answer=None)
        return Call(row=row, answer=answer)

    course = Course(rounds=setup.rounds, items=len(rows), starts_afresh=True, on_turn=setup.on_turn)
    samples = await play(entered.all, measure, course=course)
    standings = summarize(samples, peers=tuple(entered.peers))
    source = f"BFCL {CATEGORY}" if setup.data else "made up: no --data was given"
    standings = replace(standings, ours={"rows": source, **standings.ours})
    return report_of(setup, suite=NAME, standings=standings, missing=entered.missing)


def summarize(samples: Sequence[Sample[Call]], *, peers: Sequence[str]) -> Standings:
    """Sum up the calls."""
    ours = values_of(samples, OURS)
    by_peer = {name: values_of(samples, name) for name in peers}
    done = [call.answer for call in ours if call.answer is not None]
    passes = sum(answer.passes or 0 for answer in done)
    return Standings(
        ours=figures(ours, compared_with=ours),
        peers={name: figures(calls, compared_with=ours) for name, calls in by_peer.items()},
        ratio={
            "passes": ratio(passes, sum(token_by_token(answer) for answer in done)),
            "time": over_best_low(_time_s(ours), [_time_s(calls) for calls in by_peer.values()]),
        },
    )


def figures(calls: Sequence[Call], *, compared_with: Sequence[Call]) -> JsonObject:
    """Sum up one contestant's calls."""
    done = [call.answer for call in calls if call.answer is not None]
    counted = [answer.passes for answer in done if answer.passes is not None]
    return {
        "calls": len(calls),
        "failed": len(calls) - len(done),
        "right": sum(call.is_right for call in calls),
        "equal_to_ours": sum(
            call.parsed is not None and call.parsed == other.parsed
            for call, other in zip(calls, compared_with, strict=True)
        ),
        "passes_per_call": median(counted),
        "tokens_per_call": median(answer.completion_tokens for answer in done),
        "forced_tokens_per_call": median(answer.forced_tokens for answer in done),
        "prompt_tokens_computed_per_call": median(answer.computed_tokens for answer in done),
        "time_ms": milliseconds(_time_s(calls)),
        "time_p95_ms": milliseconds(percentile((answer.total_s for answer in done), share=0.95)),
        "first_token_ms": milliseconds(median(answer.first_token_s for answer in done)),
    }


def _time_s(calls: Sequence[Call]) -> float | None:
    return median(call.answer.total_s for call in calls if call.answer is not None)
