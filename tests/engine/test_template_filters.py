"""Promises about the filters of chat templates: Jinja's results on marked text."""

from __future__ import annotations

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.template_filters import CHAT_FILTERS
from smallhold.messages import Message, Role

TEXT = " Straße <b>\n\n'\"&\tend \n"
EXPRESSIONS = (
    "x|trim", "x|trim(' S')", "x|upper", "x|lower", "x|title", "x|capitalize", "x|length",
    "x|replace('a', 'bb')", "x|replace('e', '', 1)", "x|indent", "x|indent(2, true)",
    "x|indent(width='> ', blank=true)", "x|escape", "x|e ~ 'a'", "x|first", "x|last", "x|list",
    "x|reverse", "x|string", "x|default('a')", "nothing|d('a')", "[x, 1, none]|join(', ')",
    "['b', x, 'a']|sort", "[x, x, 'a']|unique|list", "[x]|map('trim')|list", "{x: 1}|items|list",
    "{'b': x, 'a': 1}|dictsort", "[3, 1]|min", "[3, 1]|max", "'12'|int", "'1.5'|int", "'a'|int(7)",
    "'1.5'|float", "x|float(2.0)", "-3|abs", "[x, '']|select|list",
    "[x, 'a']|reject('eq', 'a')|list",
    "[{'a': x}]|map(attribute='a')|list", "[{'a': x}, {}]|selectattr('a')|list",
    "[{'a': x}, {}]|rejectattr('a', 'defined')|list", "x|safe",
)  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_filter_gives_what_jinjas_own_gives(expression: str) -> None:
    jinja = ImmutableSandboxedEnvironment()
    expected = jinja.from_string(f"{{{{ {expression} }}}}").render(x=TEXT)
    source = f"{{% set x = messages[0].content %}}{{{{ {expression} }}}}"
    template = ChatTemplate(source, bos_token="", eos_token="")
    assert template.render((Message(role=Role.USER, content=TEXT),), ()) == expected


def test_every_filter_is_held_against_jinjas_own() -> None:
    untested = {name for name in CHAT_FILTERS if not [e for e in EXPRESSIONS if f"|{name}" in e]}
    assert untested == {"tojson", "count"}
