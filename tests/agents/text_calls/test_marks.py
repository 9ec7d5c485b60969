from __future__ import annotations

import pytest

from smallhold.agents.text_calls.calls import Look
from smallhold.agents.text_calls.marks import OpenMark, after_closing, open_mark

MARKS = (
    "<tool_call>", "<TOOL_CALL>", "<|tool_call|>", "<|python_tag|>", "[TOOL_CALLS]",
    "<function_call>", "```tool_code", "<|tool_call_start|>",
)  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_an_opening_mark_is_known_and_its_beginning_is_undecided(mark: str) -> None:
    assert open_mark(f"So {mark}x", 3) == OpenMark(body=3 + len(mark))
    for size in range(1, len(mark)):
        assert open_mark(mark[:size], 0) is Look.MORE
        assert open_mark(f"{mark[:size]}~", 0) is Look.NOTHING


def test_a_mark_that_belongs_to_the_call_is_part_of_its_body() -> None:
    assert open_mark("<function=now>", 0) == OpenMark(body=0)
    assert open_mark("functools[{", 0) == OpenMark(body=len("functools"))


@pytest.mark.parametrize("text", ["<b>", "<think>", "[1]", "```json", "function", "x"])
def test_other_text_is_no_mark(text: str) -> None:
    assert open_mark(f"{text} and more", 0) is Look.NOTHING


@pytest.mark.parametrize(
    "closing", ["</tool_call>\n", "<|/tool_call|>", "]", "```", "</s>", ";\n", "<|im_end|>", ""]
)
def test_closing_marks_and_separators_are_skipped(closing: str) -> None:
    assert after_closing(f"x{closing}y", 1) == 1 + len(closing)
