"""What a chat template understands: this file holds the detection, by reading it and by trying.

A template's source says which variables it reads. Whether it accepts a system message or prints a
tool's result is found out by rendering small conversations and looking for their words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from jinja2 import meta, nodes

from smallhold.engine.template_messages import CallStyle, TemplateFeatures, ToolStyle
from smallhold.exceptions import ChatTemplateError
from smallhold.messages import Message, Role, ToolCall, ToolSchema

Trial: TypeAlias = Callable[[Sequence[Message], Sequence[ToolSchema], TemplateFeatures], str]
"""Renders a conversation as if the template had the given features."""

_TOOL = ToolSchema(
    name="probe_tool",
    description="A probe.",
    parameters={
        "type": "object",
        "properties": {"probe_key": {"type": "string", "description": "A key."}},
        "required": ["probe_key"],
    },
)
_SYSTEM = Message(role=Role.SYSTEM, content="probe_system")
_USER = Message(role=Role.USER, content="probe_user")
_ANSWER = Message(role=Role.ASSISTANT, content="probe_answer")


def _call(number: int) -> ToolCall:
    return ToolCall(
        id=f"probe_{number}", name=_TOOL.name, arguments={"probe_key": f"probe_value_{number}"}
    )


def _result(number: int) -> Message:
    content = f"probe_result_{number}"
    return Message(role=Role.TOOL, content=content, tool_call_id=f"probe_{number}")


def _turns(*calls: ToolCall) -> tuple[Message, ...]:
    asked = Message(role=Role.ASSISTANT, content="", tool_calls=calls)
    return (_USER, asked, *(_result(number) for number in range(len(calls))), _ANSWER, _USER)


def detect_features(tree: nodes.Template, trial: Trial) -> TemplateFeatures:
    """Find out what a template understands."""
    plain = TemplateFeatures(has_system=True, tools=ToolStyle.TEXT, calls=CallStyle.TEXT)
    has_system = _prints(trial, (_SYSTEM, _USER), (), features=plain, words=("probe_system",))
    features = replace(plain, has_system=has_system, tools=_tool_style(tree))
    if features.tools is ToolStyle.TEXT:
        return features
    if not _prints(trial, (_SYSTEM, _USER), (_TOOL,), features=features, words=("probe_key",)):
        return replace(features, tools=ToolStyle.TEXT)
    return _with_calls(features, trial)


def _with_calls(features: TemplateFeatures, trial: Trial) -> TemplateFeatures:
    if features.tools is ToolStyle.SYSTEM_FIELD:
        return replace(features, calls=CallStyle.PHI)
    one = (_TOOL.name, "probe_value_0", "probe_result_0")
    for style in (CallStyle.OBJECT, CallStyle.JSON):
        tried = replace(features, calls=style)
        if _prints(trial, _turns(_call(0)), (_TOOL,), features=tried, words=one):
            both = (*one, "probe_value_1", "probe_result_1")
            turns = _turns(_call(0), _call(1))
            has_parallel = _prints(trial, turns, (_TOOL,), features=tried, words=both)
            return replace(tried, has_parallel_calls=has_parallel)
    return features


def _tool_style(tree: nodes.Template) -> ToolStyle:
    if "tools" in _undeclared(tree):
        return ToolStyle.VARIABLE
    fields = {node.attr for node in tree.find_all(nodes.Getattr)}
    fields |= {
        node.arg.value for node in tree.find_all(nodes.Getitem) if isinstance(node.arg, nodes.Const)
    }
    return ToolStyle.SYSTEM_FIELD if "tools" in fields else ToolStyle.TEXT


def tests_for(tree: nodes.Template, name: str) -> bool:
    """Whether a template asks if a variable is defined, and so can do without it."""
    return any(
        test.name == "defined" and isinstance(test.node, nodes.Name) and test.node.name == name
        for test in tree.find_all(nodes.Test)
    )


def _undeclared(tree: nodes.Template) -> set[str]:
    return meta.find_undeclared_variables(tree)


def _prints(
    trial: Trial,
    messages: Sequence[Message],
    tools: Sequence[ToolSchema],
    *,
    features: TemplateFeatures,
    words: Sequence[str],
) -> bool:
    """Whether a conversation renders with all words in it, and none in Python's quotes."""
    try:
        text = trial(messages, tools, features)
    except ChatTemplateError:
        return False
    return all(word in text for word in words) and "'probe_key'" not in text
