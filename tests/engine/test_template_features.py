"""Promises about finding out what a chat template understands."""

from __future__ import annotations

import pytest

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.template_messages import CallStyle, TemplateFeatures, ToolStyle

TURNS = "{% for m in messages %}{{ m.role }}:{{ m.content }}{% endfor %}"


def features(source: str) -> TemplateFeatures:
    return ChatTemplate(source, bos_token="", eos_token="").features


def test_a_template_that_drops_the_system_message_has_none() -> None:
    source = "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}"
    assert features(TURNS).has_system
    assert not features(source).has_system


def test_a_template_that_names_tools_without_printing_them_has_none() -> None:
    assert features(TURNS + "{% if tools %}Call!{% endif %}").tools is ToolStyle.TEXT
    assert features(TURNS + "{{ tools|tojson }}").tools is ToolStyle.VARIABLE


def test_tools_that_are_only_a_local_name_do_not_count() -> None:
    assert features(TURNS + "{% set tools = [] %}{{ tools }}").tools is ToolStyle.TEXT


@pytest.mark.parametrize(
    ("arguments", "style"),
    [
        ("c.function.arguments|tojson", CallStyle.OBJECT),
        ("'' + c.function.arguments", CallStyle.JSON),
        ("c.function.arguments", CallStyle.JSON),
        ("c.id", CallStyle.TEXT),
    ],
)
def test_the_form_of_arguments_is_found_by_trying(arguments: str, style: CallStyle) -> None:
    calls = "{% for c in m.tool_calls or [] %}" + f"{{{{ c.function.name }}}}{{{{ {arguments} }}}}"
    source = TURNS.replace("{% endfor %}", calls + "{% endfor %}{% endfor %}{{ tools|tojson }}")
    assert features(source).calls is style


def test_a_template_that_drops_tool_results_is_given_them_as_text() -> None:
    source = (
        "{{ tools|tojson }}{% for m in messages if m.role != 'tool' %}{{ m.content }}"
        "{{ m.tool_calls|tojson if m.tool_calls }}{% endfor %}"
    )
    assert features(source).calls is CallStyle.TEXT
