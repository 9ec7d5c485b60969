from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.agents.text_calls.conftest import TOOLS

from smallhold.agents.text_calls import BrokenCall, CallScanner, ScanEnd, TextCall

STATUS = '{"name": "order_status", "arguments": {"order_id": "1042"}}'
DIALECTS = {
    "hermes": f"<tool_call>\n{STATUS}\n</tool_call>",
    "bare": STATUS,
    "fenced": f"```json\n{STATUS}\n```",
    "fenced without a language": f"```\n{STATUS}\n```",
    "llama": '{"name": "order_status", "parameters": {"order_id": "1042"}}',
    "llama's tag": f"<|python_tag|>{STATUS}<|eom_id|>",
    "llama's python": '<|python_tag|>order_status.call(order_id="1042")',
    "mistral": f"[TOOL_CALLS] [{STATUS}]</s>",
    "mistral's newer form": '[TOOL_CALLS]order_status[ARGS]{"order_id": "1042"}',
    "phi's functools": f"functools[{STATUS}]",
    "phi": f"<|tool_call|>[{STATUS}]<|/tool_call|>",
    "function": '<function=order_status>{"order_id": "1042"}</function>',
    "qwen coder": (
        "<tool_call>\n<function=order_status>\n<parameter=order_id>\n1042\n</parameter>\n"
        "</function>\n</tool_call>"
    ),
    "pythonic": '[order_status(order_id="1042")]',
    "python alone": 'order_status(order_id="1042")',
    "gemma": '```tool_code\nprint(order_status(order_id="1042"))\n```',
    "lfm": '<|tool_call_start|>[order_status(order_id="1042")]<|tool_call_end|>',
    "xml": (
        '<function_calls><invoke name="order_status"><parameter name="order_id">1042'
        "</parameter></invoke></function_calls>"
    ),
    "openai": json.dumps({
        "type": "function",
        "function": {"name": "order_status", "arguments": '{"order_id": "1042"}'},
    }),
    "python's quotes": "{'name': 'order_status', 'arguments': {'order_id': '1042',},}",
    "typographic quotes": "{“name”: “order_status”, “arguments”: {“order_id”: “1042”}}",
    "a near name": '{"name": "orderStatus", "arguments": {"order_id": "1042"}}',
}
CALL = TextCall(name="order_status", arguments={"order_id": "1042"})
PROSE = (
    "a < b, c[0] and {x} are fine",
    "```python\nprint({'a': [1, 2]})\n```\nis code",
    '{"name": "Ada", "age": 36}',
    "See [the list](https://example.org) <b>now</b>, e.g. {{ this }}",
    '```json\n{"tools": [{"name": "order_status"}]}\n```',
    "functional functions of functools: f, fu, func[1]",
    "stock is low, order_status is the tool's name",
    "{ return 0; } // [1, 2, 3] <- </b> `` ``` x",
    "``", "<", "[", "{", "f", "<tool", "[TOOL_", "```js", "```", "order_", "\n\n{",
)  # fmt: skip
ALPHABET = st.sampled_from([
    *"<>[]{}()`\"':, \n",
    "name",
    "order_status",
    "f",
    "tool_call",
    "é",
    "json",
    "/",
    "=",
    "|",
    "1",
])


def scan(text: str, cuts: tuple[int, ...] = ()) -> tuple[str, ScanEnd]:
    scanner = CallScanner(TOOLS)
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(text)), len(text)]
    shown = "".join(scanner.feed(text[start:end]) for start, end in pairwise(places))
    return shown, scanner.finish()


@pytest.mark.parametrize(
    ("form", "before"),
    [
        *((form, "") for form in DIALECTS),
        # A function's name in prose is prose.
        *((form, "Let me look that up.\n") for form in DIALECTS if form != "python alone"),
    ],
)
def test_a_call_in_any_dialect_is_found_and_no_letter_of_it_is_shown(
    form: str, before: str
) -> None:
    text = before + DIALECTS[form]
    for cuts in ((), tuple(range(len(text)))):
        shown, end = scan(text, cuts)
        assert shown + end.rest == before
        assert end.calls == (CALL,)


@pytest.mark.parametrize("text", PROSE)
def test_ordinary_text_comes_through_byte_for_byte(text: str) -> None:
    for cuts in ((), tuple(range(len(text)))):
        shown, end = scan(text, cuts)
        assert shown + end.rest == text
        assert end.calls == ()


@given(st.lists(ALPHABET, max_size=30).map("".join), st.lists(st.integers(0, 80), max_size=12))
@example('[order_status("', [3])
@example("```json\n{", [4])
def test_how_a_text_is_cut_into_pieces_changes_nothing(text: str, cuts: list[int]) -> None:
    whole_shown, whole = scan(text)
    shown, end = scan(text, tuple(cuts))
    assert (shown + end.rest, end.calls) == (whole_shown + whole.rest, whole.calls)
    assert text.startswith(shown + end.rest)
    if not end.calls:
        assert shown + end.rest == text


@given(
    st.text(st.characters(exclude_characters="<[{`f("), max_size=30),
    st.sampled_from(sorted(set(DIALECTS) - {"python alone"})),
    st.lists(st.integers(0, 200), max_size=20),
    st.text(max_size=20),
)
def test_what_is_shown_ends_where_a_call_begins(
    before: str, form: str, cuts: list[int], after: str
) -> None:
    scanner = CallScanner(TOOLS)
    text = f"{before} {DIALECTS[form]}{after}"
    shown = ""
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    for start, end in pairwise(places):
        shown += scanner.feed(text[start:end])
        assert f"{before} ".startswith(shown)
    assert shown + scanner.finish().rest == f"{before} "


def test_several_calls_are_all_found_and_what_stands_between_them_is_no_text() -> None:
    one, two = DIALECTS["hermes"], '{"name": "stock", "arguments": {"product": "lamp"}}'
    shown, end = scan(f"Yes. {one}\n<tool_call>{two}</tool_call>")
    assert shown == "Yes. "
    assert [call.name for call in end.calls if isinstance(call, TextCall)] == [
        "order_status",
        "stock",
    ]


def test_text_after_a_call_is_dropped_and_so_is_a_call_after_it() -> None:
    made_up = f"{DIALECTS['hermes']}\nThe order is lost. {DIALECTS['hermes'].replace('1042', '7')}"
    shown, end = scan(made_up)
    assert shown + end.rest == ""
    assert end.calls == (CALL,)


@pytest.mark.parametrize(
    "form", ["hermes", "bare", "fenced", "mistral", "phi", "function", "xml", "pythonic"]
)
def test_a_call_that_was_cut_off_is_never_whole_and_never_shown(form: str) -> None:
    text = DIALECTS[form]
    for end in range(text.index("1042"), text.index("1042") + 4):
        shown, scanned = scan(text[:end])
        assert "order_status" not in shown + scanned.rest
        (call,) = scanned.calls
        assert isinstance(call, BrokenCall)
        assert call.is_cut
        assert call.name == "order_status"


def test_a_marked_call_that_cannot_be_read_is_broken() -> None:
    shown, end = scan("<tool_call>please look up order 1042</tool_call>")
    assert shown == ""
    (call,) = end.calls
    assert isinstance(call, BrokenCall)
    assert not call.is_cut


def test_a_call_inside_an_example_is_an_example() -> None:
    text = f'{{"example": {STATUS}, "note": "so it is written"}}'
    shown, end = scan(text)
    assert (shown + end.rest, end.calls) == (text, ())


def test_without_tools_all_text_is_prose_at_once() -> None:
    scanner = CallScanner(())
    assert scanner.feed(DIALECTS["hermes"]) == DIALECTS["hermes"]
    assert scanner.finish() == ScanEnd(rest="", calls=())


def test_ordinary_text_is_not_held_back_longer_than_needed() -> None:
    scanner = CallScanner(TOOLS)
    assert scanner.feed("It is 3 <") == "It is 3 "
    assert scanner.feed(" 4") == "< 4"
    assert scanner.feed(" {x") == " "
    assert scanner.feed(" y}") == "{x y}"


def test_a_long_text_that_is_held_back_takes_no_time_with_its_square() -> None:
    scanner = CallScanner(TOOLS)
    started_s = time.monotonic()
    scanner.feed('{"rows": ["')
    for _ in range(20_000):
        scanner.feed("word ")
    scanner.feed('"]}')
    assert scanner.finish().calls == ()
    assert time.monotonic() - started_s < 10
