"""Promises about hostile chat templates: each attack ends in an error, soon and small."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator

import pytest

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.template_budget import TemplateLimits
from smallhold.exceptions import ChatTemplateError
from smallhold.messages import Message, Role

MESSAGES = (Message(role=Role.USER, content="hello <|im_end|>"),)
PATIENCE_S = 5.0
"""Far above the time limit below, so that a busy machine does not fail the test."""
MEMORY_BYTES = 100_000_000


BOS = "<s>"
EOS = "</s>"


def render(source: str) -> str:
    limits = TemplateLimits(time_s=0.5)
    return ChatTemplate(source, bos_token=BOS, eos_token=EOS, limits=limits).render(MESSAGES, ())


def refuses(source: str) -> None:
    started_s = time.monotonic()
    with pytest.raises(ChatTemplateError):
        render(source)
    assert time.monotonic() - started_s < PATIENCE_S


@pytest.fixture
def small_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < MEMORY_BYTES


def nested_loops(body: str) -> str:
    heads = "".join(f"{{% for {name} in range(99999) %}}" for name in "abcde")
    return heads + body + "{% endfor %}" * 5


LOOPS = {
    "an empty body": nested_loops(""),
    "a body that prints": nested_loops("x"),
    "a body that prints nothing": nested_loops("{{ '' }}"),
    "a filter that nothing passes": "{% for a in range(99999) %}"
    "{% for b in range(99999) if false %}{% endfor %}{% endfor %}",
    "lazy filters": "{% for a in range(99999) %}{{ range(99999)|map('string')|list|length }}"
    "{% endfor %}",
    "macros that call themselves": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}"
    "{% endif %}{% endmacro %}{{ m(90) }}",
    "macros without end": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "many comparisons in one line": "{{ ["
    + ",".join(["(range(99999)|list) == 1"] * 1_000)
    + "] }}",
}


@pytest.mark.parametrize("source", LOOPS.values(), ids=LOOPS)
def test_a_loop_that_would_not_end_is_ended(source: str) -> None:
    refuses(source)


MEMORY = {
    "a product": "{{ 'a' * 10000000000 }}",
    "a product the other way": "{{ 10000000000 * 'a' }}",
    "a product of a list": "{% set x = [0] * 1000000000 %}",
    "a doubling sum": "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(60) %}"
    "{% set n.x = n.x + n.x %}{% endfor %}",
    "a doubling concatenation": "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(60) %}"
    "{% set n.x = n.x ~ n.x %}{% endfor %}",
    "a doubling block": "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(60) %}"
    "{% set y %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = y %}{% endfor %}",
    "a doubling list": "{% set n = namespace(x=[1]) %}{% for i in range(60) %}"
    "{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "a doubling dict": "{% set n = namespace(x={}) %}{% for i in range(60) %}"
    "{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}{{ n.x == 1 }}",
    "a doubling dict by call": "{% set n = namespace(x={}) %}{% for i in range(60) %}"
    "{% set n.x = dict(a=n.x, b=n.x) %}{% endfor %}{{ n.x|tojson }}",
    "a chain of namespaces": "{% set n = namespace(x=1) %}{% for i in range(60) %}"
    "{% set m = namespace(x=[n.x, n.x]) %}{% set n.x = [m, m] %}{% endfor %}{{ n.x }}",
    "many long texts": "{% set n = namespace(x=[]) %}{% for i in range(9999) %}"
    "{% set n.x = n.x + ['a' * 1000000 + i|string] %}{% endfor %}",
    "slices of a long text": "{% set a = 'a' * 4000000 %}{% set n = namespace(x=[]) %}"
    "{% for i in range(9999) %}{% set n.x = n.x + [a[1:]] %}{% endfor %}",
    "a replacement": "{{ ('a' * 1000000)|replace('a', 'b' * 1000000) }}",
    "a replacement by method": "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
    "a replacement of nothing": "{{ ('a' * 1000000).replace('', 'b' * 1000000) }}",
    "a join": "{{ range(99999)|join('b' * 1000000) }}",
    "a join by method": "{{ ('b' * 1000000).join('a' * 90000) }}",
    "an indent": "{{ ('\\n' * 100000)|indent('b' * 1000000) }}",
    "an indent by number": "{{ 'a'|indent(10000000000, true) }}{{ 1 // 0 }}",
    "an indent of JSON": "{{ messages|tojson(indent=10000000000) }}{{ 1 // 0 }}",
    "a list of characters": "{{ ('a' * 4000000)|list }}",
    "a split": "{{ ('a ' * 2000000).split() }}",
    "a long range": "{{ range(10000000000)|list }}",
    "a tower of powers": "{{ 9 ** 9 ** 9 ** 9 }}",
    "a tower of products": "{% set n = namespace(x=9) %}{% for i in range(60) %}"
    "{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "a long output": "{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}",
    "a constant worked out while compiling": "{{ 'a'|center(10000000000) }}",
    "a format": "{{ '%10000000000d' % 1 }}",
    "a format by filter": "{{ '%10000000000d'|format(1) }}",
    "a format by method": "{{ '{:10000000000}'.format(1) }}",
    "a format of marked text": "{{ (messages[0].content + '{:10000000000}').format(1) }}",
    "padding": "{{ 'a'.ljust(10000000000) }}",
    "zeroes": "{{ 'a'['zfill'](10000000000) }}",
    "tabs": "{{ '\\t'.expandtabs(10000000000) }}",
    "rounding": "{{ 1|round(10000000000, 'floor') }}",
    "the generator of blind text": "{{ lipsum(n=10000000) }}",
}


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("source", MEMORY.values(), ids=MEMORY)
def test_a_value_that_would_fill_the_memory_is_refused(source: str) -> None:
    refuses(source)


ESCAPES = {
    "the class of a text": "{{ ''.__class__.__mro__ }}",
    "the class by subscript": "{{ ''['__class__'] }}{{ ''['__class__'].x }}",
    "the class by filter": "{{ ''|attr('__class__') }}",
    "the class by map": "{{ ['']|map(attribute='__class__')|first|tojson }}",
    "the class of a message": "{{ messages.__class__.__base__ }}",
    "the globals of a function": "{{ raise_exception.__globals__['os'] }}",
    "the wrapped function": "{{ range.__wrapped__() }}",
    "the globals of a macro": "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "the environment of a macro": "{% macro m() %}{% endmacro %}{{ m._environment.filters }}",
    "the insides of a loop": "{% for a in messages %}{{ loop._iterator.x }}{% endfor %}",
    "the insides of a namespace": "{{ namespace.__init__.__globals__ }}",
    "the insides of a method": "{{ ''.strip.text.marks }}",
    "the class by format": "{{ '{0.__class__}'.format('') }}",
    "the class by a map of formats": "{{ ['{0.__class__}']|map('format', '')|list }}",
    "the class by format_map": "{{ '{a.__class__}'.format_map({'a': ''}) }}",
    "the marks of a text": "{{ messages[0].content.marks.x }}",
    "the plain form of a text": "{{ messages[0].content.plain.x }}",
    "cycler": "{{ cycler.__init__.__globals__.os }}",
    "cycler as such": "{{ cycler('a').next() }}",
    "joiner": "{{ joiner()() }}",
    "lipsum": "{{ lipsum.__globals__.os.popen('id').read() }}",
    "the template itself": "{{ self.__init__ }}{{ self._TemplateReference__context.x }}",
    "a print of the machinery": "{% for a in messages %}{{ loop }}{% endfor %}",
    "the end of a list": "{{ messages.append(1) }}",
    "a list emptied": "{{ messages.clear() }}",
    "a dict changed": "{{ messages[0].update(role='system') }}",
    "a dict drained": "{{ messages[0].pop('role') }}",
}


@pytest.mark.parametrize("source", ESCAPES.values(), ids=ESCAPES)
def test_a_way_out_of_the_sandbox_is_shut(source: str) -> None:
    refuses(source)


STATEMENTS = {
    "include": "{% include 'x' %}",
    "import": "{% import 'x' as x %}",
    "from import": "{% from 'x' import y %}",
    "extends": "{% extends 'x' %}",
    "block": "{% block a %}{{ self.a() }}{% endblock %}",
    "autoescape": "{% autoescape true %}{% endautoescape %}",
    "recursion": "{% for a in [[1]] recursive %}{{ loop(a) }}{% endfor %}",
    "private-use characters": "\U000f0000",
    "private-use characters by escape": "{{ '\\U000f0000' }}",
    "deep nesting": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "deep negation": "{{ " + "not " * 900 + "1 }}",
    "a long sum": "{{ " + "+".join(["1"] * 5_000) + " }}",
    "many parts": "{{ 1 }}" * 12_000,
    "a long source": " " * 300_000,
    "no Jinja": "{% if %}",
    "a huge number": "{{ " + "9" * 9_999 + " }}",
    "blocks in blocks": "{% if 1 %}" * 150 + "{% endif %}" * 150,
    "loops in loops": "{% for a in [1] %}" * 50 + "{% endfor %}" * 50,
    "an unknown filter": "{{ 1|nosuch }}",
}


@pytest.mark.parametrize("source", STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_that_no_chat_template_needs_is_refused(source: str) -> None:
    refuses(source)


NEEDED = {
    "{{ 'a' * 3 ~ 2 ** 3 ~ 7 // 2 ~ 7 % 4 ~ -1 }}": "aaa833-1",
    "{% for a in range(9) %}{% if a == 2 %}{% break %}{% endif %}{{ a }}{% endfor %}": "01",
    "{% for a in 'abc' if a != 'b' %}{{ loop.index }}{{ loop.last }}{% endfor %}": "1False2True",
    "{% set n = namespace(x=1) %}{% set n.x = n.x + 1 %}{{ n.x }}": "2",
    "{% macro m(a, b='c') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}": "1c",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}a{% endcall %}": "[a]",
    "{% for k, v in {'a': [1, none]}.items() %}{{ k }}{{ v }}{% endfor %}": "a[1, None]",
    "{% filter upper %}a{% endfilter %}{% with b = 1 %}{{ b }}{% endwith %}": "A1",
    "{% generation %}a{% endgeneration %}": "a",
    "{{ (1, 2)[0] }}{{ [1, 2, 3][1:] }}{{ {'get': 1}.get('get') }}": "1[2, 3]1",
    "{{ nothing }}{{ nothing is defined }}{{ none }}{{ 1.5 }}": "FalseNone1.5",
    "{% for a in [1, 2] %}{{ loop.cycle('x', 'y') }}{% endfor %}": "xy",
    "{{ 'hell' in messages[0].content }}{{ 'x' not in messages[0].content }}": "TrueTrue",
    "{{ messages[0].content[:4] in 'hello' }}{{ 'role' in messages[0] }}": "TrueTrue",
    "{{ [3, 1]|map('string')|join('-') }}": "3-1",
    "{{ [{'a': 1}, {'a': 2}]|selectattr('a', '==', 2)|list }}": "[{'a': 2}]",
    "  {% if 1 %}\n  a\n  {% endif %}\n": "  a\n",
}


@pytest.mark.parametrize(("source", "text"), NEEDED.items())
def test_what_chat_templates_need_works(source: str, text: str) -> None:
    assert render(source) == text
