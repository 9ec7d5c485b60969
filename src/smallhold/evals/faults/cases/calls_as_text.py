"""Calls that the server did not recognise: this file holds the cases of calls that came as text."""

from __future__ import annotations

from typing import Final

from smallhold.evals.faults.case import BOTH_FORMS, NATIVE_ONLY, Exchange, FaultCase
from smallhold.evals.faults.cases.weather import ANSWER, ASKED, PARIS_READ, RESULT, report
from smallhold.evals.faults.judging import (
    all_of,
    answers,
    answers_exactly,
    at_most,
    did,
    effect,
    only,
)
from smallhold.evals.faults.model import Answer, Text, when_told

HERMES: Final = (
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}\n</tool_call>'
)
"""As Qwen2.5 writes it. Source: its chat template."""
FENCED: Final = (
    "I will look it up.\n```json\n"
    '{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}\n```'
)
MISTRAL: Final = '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]'
"""Source: the chat template of Mistral 7B Instruct v0.3."""
PYTHONIC: Final = '[get_weather(city="Paris", days=3)]'
"""As Llama 3.2 1B and 3B write calls. Source: their model card."""

CITIES: Final = Exchange(
    text="How is the weather in Paris and in Rome?", tools={"get_weather": "get_weather"}
)
BOTH_READ: Final = (
    effect("get_weather", city="Paris", days=1),
    effect("get_weather", city="Rome", days=1),
)
TWO_CALLS: Final = (
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n'
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call>'
)
PROSE: Final = (
    'Write it as {"name": "value"}, mark it up as <b>bold</b>, and list [1, 2]:\n'
    '```python\nprint({"a": 1})\n```\nThat is all.'
)


def as_text(name: str, text: str, *, fault: str) -> FaultCase:
    """Describe a call that came in one family's own writing."""
    return FaultCase(
        name=name,
        fault=fault,
        right="The call is recovered and runs once; the user sees no part of it.",
        exchanges=(ASKED,),
        model=when_told({RESULT: ANSWER}, otherwise=Text(text=text)),
        behaviours={"get_weather": report},
        ends_right=all_of(did(PARIS_READ), answers("18")),
        effects_right=at_most(PARIS_READ),
        forms=NATIVE_ONLY,
    )


CALLS_AS_TEXT: Final = (
    as_text("call_as_tagged_text", HERMES, fault="A call comes as text in Hermes tags."),
    as_text("call_as_fenced_text", FENCED, fault="A call comes as JSON in a code fence."),
    as_text("call_as_marked_text", MISTRAL, fault="A call comes as text after Mistral's mark."),
    as_text("call_as_python_text", PYTHONIC, fault="A call comes as a Python expression."),
    FaultCase(
        name="two_calls_in_one_text",
        fault="Two calls come in one text.",
        right="Both run, each once.",
        exchanges=(CITIES,),
        model=when_told(
            {"25 degrees": Answer(text="It is 18 degrees in Paris and 25 in Rome.")},
            otherwise=Text(text=TWO_CALLS),
        ),
        behaviours={"get_weather": report},
        ends_right=all_of(did(*BOTH_READ), answers("18", "25")),
        effects_right=at_most(*BOTH_READ),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="half_call_in_stream",
        fault="A call begins in the middle of a streamed text.",
        right="No piece of it is ever shown; it runs, and the answer follows.",
        exchanges=(ASKED,),
        model=when_told({RESULT: ANSWER}, otherwise=Text(text=f"One moment.\n{HERMES}")),
        behaviours={"get_weather": report},
        ends_right=answers("18"),
        effects_right=only(PARIS_READ),
        forms=NATIVE_ONLY,
        is_streamed=True,
    ),
    FaultCase(
        name="prose_that_looks_like_a_call",
        fault="A good answer has braces, tags, brackets and a code fence in it.",
        right="It is shown character by character, and nothing runs.",
        exchanges=(
            Exchange(text="How do I write an entry for the handbook?", tools={"search": "search"}),
        ),
        model=when_told({}, otherwise=Answer(text=PROSE)),
        behaviours={"search": lambda _: "nothing found"},
        ends_right=answers_exactly(PROSE),
        effects_right=at_most(),
        forms=BOTH_FORMS,
        is_streamed=True,
    ),
)
