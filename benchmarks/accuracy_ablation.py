"""What each technique is worth: this file holds the ablation of the planner on BFCL.

`python benchmarks/accuracy_ablation.py --data DIR [--model ALIAS] [--limit N]` answers the same
rows with one more technique in each step. Accuracy and irrelevance of a step come from one
configuration. One JSON document goes to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import anyio

from smallhold.agents import Config
from smallhold.agents.argument_schema import bounded_schema
from smallhold.agents.call_script import call_script
from smallhold.agents.decision import read_decision
from smallhold.agents.filling import Filler, asked_text, parse_arguments, tool_named
from smallhold.agents.planning import ScoredPlanner
from smallhold.agents.providers import runtime_for
from smallhold.agents.special_calls import INSTEAD_OF_A_CALL
from smallhold.agents.text_calls import CallScanner, TextCall
from smallhold.evals.bfcl import BFCLRow, build_report, read_category, run_bfcl
from smallhold.evals.bfcl.runner import Decide, Decided
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    Prompt,
    ScoreRequest,
)
from smallhold.messages import FinishReason, JsonObject, JsonValue, ToolCall, Usage
from smallhold.runtimes.dialects import JSON_LINES
from smallhold.runtimes.protocol import Runtime

CATEGORIES: Final = ("multiple", "live_multiple", "parallel", "irrelevance", "live_irrelevance")
NO_TOOL: Final = "no_suitable_tool"
MAX_TOKENS: Final = 400
SEED: Final = 11


def raw_template(runtime: Runtime) -> Decide:
    """The model's own template, free text, and whatever calls can be found in it."""

    async def decide(row: BFCLRow) -> Decided:
        request = GenerationRequest(
            prompt=Prompt(messages=row.messages, tools=row.tools), max_tokens=MAX_TOKENS
        )
        text, usage, _ = await _text(runtime, request)
        scanner = CallScanner(row.tools)
        scanner.feed(text)
        found = [call for call in scanner.finish().calls if isinstance(call, TextCall)]
        calls = tuple(
            ToolCall(id=str(number), name=call.name, arguments=call.arguments)
            for number, call in enumerate(found)
        )
        return Decided(calls=calls, usage=usage)

    return decide


def grammar(runtime: Runtime) -> Decide:
    """The model's own template, and one call of any tool, or of none, under a grammar."""

    async def decide(row: BFCLRow) -> Decided:
        dialect = runtime.limits.dialect
        branches: list[JsonValue] = [
            _branch(tool.name, bounded_schema(tool.parameters)) for tool in row.tools
        ]
        branches.append(_branch(NO_TOOL, {"type": "object", "additionalProperties": False}))
        opening = dialect.before_name.partition("{")[0]
        request = GenerationRequest(
            prompt=Prompt(messages=row.messages, tools=row.tools, continuation=opening),
            constraint=JsonSchemaConstraint(schema={"anyOf": branches}),
            max_tokens=MAX_TOKENS,
        )
        text, usage, reason = await _text(runtime, request)
        if reason is FinishReason.LENGTH:
            return Decided(calls=(), usage=usage)
        written = parse_arguments(text, runtime=runtime.name)
        name, arguments = written["name"], written["arguments"]
        if name == NO_TOOL or not isinstance(name, str) or not isinstance(arguments, dict):
            return Decided(calls=(), usage=usage)
        return Decided(calls=(ToolCall(id="1", name=name, arguments=arguments),), usage=usage)

    return decide


def two_stages(runtime: Runtime) -> Decide:
    """The call script: the tool is scored without any correction, then filled as it comes."""

    async def decide(row: BFCLRow) -> Decided:
        prompt = Prompt(messages=row.messages, tools=row.tools)
        name, usage = await _scored(runtime, prompt)
        if name is None:
            return Decided(calls=(), usage=usage)
        request = GenerationRequest(
            prompt=call_script(prompt, opened=name),
            constraint=JsonSchemaConstraint(
                schema=bounded_schema(tool_named(row.tools, name).parameters),
                closing=JSON_LINES.closing,
            ),
            max_tokens=MAX_TOKENS,
        )
        text, spent, reason = await _text(runtime, request)
        if reason is FinishReason.LENGTH:
            return Decided(calls=(), usage=usage + spent)
        arguments = parse_arguments(text.removesuffix(JSON_LINES.closing), runtime=runtime.name)
        call = ToolCall(id="1", name=name, arguments=arguments)
        return Decided(calls=(call,), usage=usage + spent)

    return decide


def grounding(runtime: Runtime) -> Decide:
    """As before, and arguments compared with what was said."""

    async def decide(row: BFCLRow) -> Decided:
        prompt = Prompt(messages=row.messages, tools=row.tools)
        name, usage = await _scored(runtime, prompt)
        if name is None:
            return Decided(calls=(), usage=usage)
        filling = await Filler(runtime=runtime, max_tokens=MAX_TOKENS).best(prompt, (name,))
        call = ToolCall(id="1", name=name, arguments=filling.arguments)
        calls = (call,) if filling.is_complete else ()
        return Decided(calls=calls, usage=usage + filling.usage)

    return decide


def calibration(runtime: Runtime) -> Decide:
    """The whole planner: bias and calibration, rivals, several calls, questions."""
    planner = ScoredPlanner(runtime=runtime, max_tokens=MAX_TOKENS)

    async def decide(row: BFCLRow) -> Decided:
        prompt = Prompt(messages=row.messages, tools=row.tools)
        plan = await planner.plan(prompt, tool_choice="auto", call_id=row.id)
        calls = tuple(planned.call for planned in plan.calls if planned.is_complete)
        return Decided(calls=calls, usage=plan.usage)

    return decide


STEPS: Final[dict[str, Callable[[Runtime], Decide]]] = {
    "raw template": raw_template,
    "grammar": grammar,
    "two stages": two_stages,
    "grounding": grounding,
    "calibration": calibration,
}


def _branch(name: str, arguments: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": {"name": {"const": name}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


async def _text(runtime: Runtime, request: GenerationRequest) -> tuple[str, Usage, FinishReason]:
    async with runtime.stream(request) as stream:
        text = "".join([piece async for piece in stream])
        return text, stream.completion.usage, stream.completion.finish_reason


async def _scored(runtime: Runtime, prompt: Prompt) -> tuple[str | None, Usage]:
    names = [tool.name for tool in prompt.tools]
    choices = tuple(map(JSON_LINES.scored_name, (*names, *INSTEAD_OF_A_CALL)))
    scores = await runtime.score(ScoreRequest(prompt=call_script(prompt), choices=choices))
    decision = read_decision(
        scores, prompt.tools, text=asked_text(prompt.messages), calibration=None, must_call=False
    )
    return decision.tool, scores.usage


def sampled(rows: Sequence[BFCLRow], limit: int) -> list[BFCLRow]:
    """Draw rows that offer tools at all, always the same ones."""
    offering = [row for row in rows if row.tools]
    return random.Random(SEED).sample(offering, min(limit, len(offering)))  # noqa: S311 - a sample of rows, no secret


async def measure(arguments: argparse.Namespace) -> JsonObject:
    """Run all steps over the same rows."""
    config = Config(name="ablation", model_alias=arguments.model)
    runtime = runtime_for(config, endpoint=None, api_key=None)
    rows = {
        category: sampled(read_category(arguments.data, category=category), arguments.limit)
        for category in arguments.categories.split(",")
    }
    steps: JsonObject = {}
    try:
        for name, make in STEPS.items():
            steps[name] = await _measure_step(make(runtime), rows, model=arguments.model)
            sys.stderr.write(f"{name} {json.dumps(steps[name])}\n")
    finally:
        await runtime.aclose()
    return {"model": arguments.model, "limit": arguments.limit, "steps": steps}


async def _measure_step(
    decide: Decide, rows: dict[str, list[BFCLRow]], *, model: str
) -> JsonObject:
    figures: JsonObject = {}
    for category, chosen in rows.items():
        started_s = time.monotonic()
        usages: list[Usage] = []
        results = await run_bfcl(chosen, decide=_noting(decide, usages))
        report = build_report(results, category=category, model=model).to_dict()
        figures[category] = {
            **{key: report[key] for key in ("n", "accuracy", "ci95", "valid_rate")},
            "passes": round(sum(usage.passes for usage in usages) / len(chosen), 1),
            "prompt_tokens": round(sum(usage.prompt_tokens for usage in usages) / len(chosen)),
            "computed_tokens": round(
                sum(usage.prompt_tokens - usage.cached_tokens for usage in usages) / len(chosen)
            ),
            "seconds": round((time.monotonic() - started_s) / len(chosen), 2),
        }
    return figures


def _noting(decide: Decide, usages: list[Usage]) -> Callable[[BFCLRow], Awaitable[Decided]]:
    async def noted(row: BFCLRow) -> Decided:
        decided = await decide(row)
        usages.append(decided.usage)
        return decided

    return noted


def main() -> None:
    """Read the command line, measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of BFCL")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--limit", type=int, default=24, help="rows of each category")
    parser.add_argument("--categories", default=",".join(CATEGORIES))
    sys.stdout.write(json.dumps(anyio.run(measure, parser.parse_args()), indent=1) + "\n")


if __name__ == "__main__":
    main()
