"""Promises about how messages and tools are written for templates that do not know them."""

from __future__ import annotations

from smallhold.engine.template_messages import (
    CallStyle,
    TemplateFeatures,
    ToolStyle,
    build_input,
)
from smallhold.engine.template_text import Marks
from smallhold.messages import Message, Role, ToolCall, ToolSchema

TOOL = ToolSchema(name="t", description="d", parameters={"type": "object"})
TEXT = TemplateFeatures(has_system=True, tools=ToolStyle.TEXT, calls=CallStyle.TEXT)
FOLDED = TemplateFeatures(has_system=False, tools=ToolStyle.TEXT, calls=CallStyle.TEXT)
PHI = TemplateFeatures(has_system=True, tools=ToolStyle.SYSTEM_FIELD, calls=CallStyle.PHI)
NATIVE = TemplateFeatures(has_system=True, tools=ToolStyle.VARIABLE, calls=CallStyle.OBJECT)
USER = Message(role=Role.USER, content="u")
SYSTEM = Message(role=Role.SYSTEM, content="s")
CALLS = tuple(ToolCall(id=f"id{n}", name="t", arguments={"n": n}) for n in range(2))
ASKED = Message(role=Role.ASSISTANT, content="", tool_calls=CALLS)
RESULTS = tuple(Message(role=Role.TOOL, content=f"r{n}", tool_call_id=f"id{n}") for n in range(2))


def rows(
    features: TemplateFeatures, *messages: Message, tools: tuple[ToolSchema, ...] = ()
) -> list[tuple[object, object]]:
    marks = Marks()
    made = build_input(messages, tools, features=features, marks=marks).messages
    return [(row["role"], marks.plain(str(row["content"]))) for row in made]


def test_tools_are_described_after_the_system_text() -> None:
    (role, text), *rest = rows(TEXT, SYSTEM, USER, tools=(TOOL,))
    assert role == "system"
    assert str(text).startswith("s\n\n# Tools\n\n")
    assert '\n<tools>\n{"type": "function", "function": {"name": "t",' in str(text)
    assert str(text).endswith("<args-json-object>}\n</tool_call>")
    assert rest == [("user", "u")]


def test_tools_without_a_system_message_get_one() -> None:
    assert [role for role, _ in rows(TEXT, USER, tools=(TOOL,))] == ["system", "user"]
    assert str(rows(TEXT, USER, tools=(TOOL,))[0][1]).startswith("# Tools")


def test_calls_and_results_become_text() -> None:
    assert rows(TEXT, USER, ASKED, *RESULTS) == [
        ("user", "u"),
        (
            "assistant",
            "\n".join(
                f'<tool_call>\n{{"name": "t", "arguments": {{"n": {n}}}}}\n</tool_call>'
                for n in range(2)
            ),
        ),
        (
            "user",
            "<tool_response>\nr0\n</tool_response>\n<tool_response>\nr1\n</tool_response>",
        ),
    ]


def test_phi_gets_tools_in_a_field_and_calls_in_its_own_form() -> None:
    marks = Marks()
    made = build_input((USER, ASKED, *RESULTS), (TOOL,), features=PHI, marks=marks)
    assert made.tools is None
    assert made.messages[0]["tools"] == (
        '[{"name": "t", "description": "d", "parameters": {"type": "object"}}]'
    )
    assert made.messages[2]["content"] == (
        '<|tool_call|>[{"name": "t", "arguments": {"n": 0}}, {"name": "t", "arguments": {"n": 1}}]'
        "<|/tool_call|>"
    )
    assert made.messages[3]["role"] == "tool"
    trusted = [p.text for p in marks.segments(str(made.messages[2]["content"])) if p.is_trusted]
    assert trusted[0].startswith("<|tool_call|>")


def test_system_text_is_spoken_by_the_user_where_it_must() -> None:
    late = Message(role=Role.SYSTEM, content="late")
    answer = Message(role=Role.ASSISTANT, content="a")
    assert rows(FOLDED, SYSTEM, USER, answer, late, USER) == [
        ("user", "s\n\nu"),
        ("assistant", "a"),
        ("user", "late\n\nu"),
    ]


def test_calls_are_numbered_in_nine_letters() -> None:
    made = build_input((USER, ASKED, *RESULTS), (), features=NATIVE, marks=Marks()).messages
    assert [row.get("tool_call_id") for row in made[2:]] == ["call00000", "call00001"]
    assert [row.get("name") for row in made[2:]] == ["t", "t"]


def test_tools_are_none_rather_than_empty() -> None:
    assert build_input((USER,), (), features=NATIVE, marks=Marks()).tools is None
