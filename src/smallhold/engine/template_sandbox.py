"""Where a chat template runs: this file holds the sandbox around Jinja.

Jinja's own sandbox keeps a template from Python's inside; it leaves time and memory open, and
several ways out of it were found over the years. So this one turns the question round: statements,
filters, attributes and callables are refused unless a chat template needs them, and each of those
that remain is metered. Nothing is evaluated while compiling, there is no loader, and none of
Jinja's global functions is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import BuiltinMethodType, MethodType
from typing import Any, cast

import jinja2
from jinja2 import nodes, pass_context
from jinja2.compiler import CodeGenerator, CompilerExit, Frame
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from smallhold.engine.template_budget import TemplateLimits, current
from smallhold.engine.template_filters import CHAT_FILTERS, account, printed
from smallhold.engine.template_strings import STRING_METHODS, TextMethod
from smallhold.engine.template_text import MARKED_RUN, concatenate
from smallhold.exceptions import ChatTemplateError

_MAX_INT_BITS = 256
"""Templates count messages; a tower of products must not fill the memory."""
_MAX_EXPONENT = 64
_MAX_DEPTH = 200
"""Nesting of the syntax tree; Python's own compiler gives up at a few hundred."""
_MAX_SYNTAX_NODES = 10_000
"""The templates in our tests have under 1,000; compiling this many takes about a second."""

_ATTRIBUTES: dict[type, frozenset[str]] = {
    dict: frozenset({"items", "keys", "values", "get"}),
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
    LoopContext: frozenset({
        "index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0",
        "previtem", "nextitem", "cycle", "changed",
    }),
}  # fmt: skip
_STATEMENTS = (
    nodes.Template, nodes.Output, nodes.For, nodes.If, nodes.Assign, nodes.AssignBlock, nodes.Macro,
    nodes.CallBlock, nodes.FilterBlock, nodes.With, nodes.Scope, nodes.Break, nodes.Continue,
)  # fmt: skip
_EXPRESSIONS = (
    nodes.TemplateData, nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict,
    nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem,
    nodes.Getattr, nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand, nodes.BinExpr,
    nodes.UnaryExpr,
)  # fmt: skip


class _GenerationTag(Extension):
    """Reads `{% generation %}`, which marks training targets and prints its body."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own declaration

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return the body."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _MeteredCode(CodeGenerator):
    """Generates code that reports each statement and each new value to the environment."""

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """Write a block of statements, a step before each."""
        try:
            self.writeline("environment.step()")
            for node in nodes:
                self.writeline("environment.step()")
                self.visit(node, frame)
        except CompilerExit:
            pass

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write `a ~ b`."""
        self.write("environment.joined((")
        for arg in node.nodes:
            self.visit(arg, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write a comparison; `in` asks the environment, which can look through marks."""
        first = node.ops[0]
        if len(node.ops) > 1 or first.op not in {"in", "notin"}:
            super().visit_Compare(node, frame)
            return
        self.write("(not " if first.op == "notin" else "(")
        self.write("environment.is_in(")
        self.visit(node.expr, frame)
        self.write(", ")
        self.visit(first.expr, frame)
        self.write("))")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write `a[b]`; slices make new values."""
        is_slice = isinstance(node.arg, nodes.Slice)
        self.write("environment.made(" if is_slice else "(")
        super().visit_Getitem(node, frame)
        self.write(")")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write a list."""
        self.write("environment.made(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write a dict."""
        self.write("environment.made(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write a tuple, unless it is a target of an assignment."""
        is_value = node.ctx == "load"
        self.write("environment.made(" if is_value else "")
        super().visit_Tuple(node, frame)
        self.write(")" if is_value else "")


class ChatSandbox(ImmutableSandboxedEnvironment):
    """The environment that compiles and runs one chat template."""

    code_generator_class = _MeteredCode
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            finalize=_finalize,
            extensions=["jinja2.ext.loopcontrols", _GenerationTag],
        )
        self.concat = self.joined
        self.filters = dict(CHAT_FILTERS)
        self.globals = {"range": _range, "namespace": Namespace, "dict": dict}

    def checked(self, source: str, *, limits: TemplateLimits) -> nodes.Template:
        """Parse a template and refuse what no chat template needs.

        Raises:
            ChatTemplateError: The source is too long or too deep, or uses other statements.
            TemplateSyntaxError: The source is not Jinja.
        """
        if len(source) > limits.source_chars:
            raise ChatTemplateError(
                problem=f"has {len(source):,} characters, more than {limits.source_chars:,}"
            )
        tree = self.parse(source)
        waiting: list[tuple[nodes.Node, int]] = [(tree, 1)]
        seen = 0
        while waiting:
            node, depth = waiting.pop()
            seen += 1
            _refuse_node(node, depth=depth, seen=seen)
            waiting.extend((child, depth + 1) for child in node.iter_child_nodes())
        return tree

    def step(self) -> None:
        """Count one step; called by the generated code."""
        current().budget.step()

    def made(self, value: object) -> object:
        """Count a new value; called by the generated code."""
        return account(value)

    def joined(self, parts: Iterable[object]) -> str:
        """Join printed values; called by the generated code for `~`, macros and set blocks."""
        texts = [printed(part) for part in parts]
        current().budget.fits(sum(map(len, texts)))
        text = concatenate(texts, current().marks)
        current().budget.produce(text)
        return text

    def is_in(self, item: object, container: object) -> bool:
        """`item in container`; called by the generated code."""
        if isinstance(item, str) and isinstance(container, str):
            container = current().marks.adopt(container)
        return item in cast("Iterable[object]", container)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`; a text has the methods of `STRING_METHODS` alone."""
        if isinstance(obj, str):
            if attribute in STRING_METHODS:
                return TextMethod(current().marks.adopt(obj), attribute)
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`."""
        if isinstance(obj, str) and isinstance(argument, str):
            return self.getattr(obj, argument)
        return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may read this attribute: only what is named in this module."""
        if not super().is_safe_attribute(obj, attr, value):
            return False
        allowed = next((names for kind, names in _ATTRIBUTES.items() if type(obj) is kind), ())
        return isinstance(obj, Namespace) or attr in allowed

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call this: macros, our functions and the listed methods."""
        if isinstance(obj, (Macro, TextMethod)) or obj is dict or obj is Namespace:
            return True
        if isinstance(obj, (BuiltinMethodType, MethodType)):
            return type(obj.__self__) in _ATTRIBUTES
        return getattr(obj, "is_for_templates", False) is True

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - Jinja spells positional-only with underscores
        """Call `obj`, counted as a step."""
        current().budget.step()
        return account(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`, its size checked before it is worked out."""
        if isinstance(left, str) and isinstance(right, str) and operator == "+":
            return self.joined((left, right))
        _refuse_operation(operator, left, right)
        return account(super().call_binop(context, operator, left, right))


def _refuse_node(node: nodes.Node, *, depth: int, seen: int) -> None:
    if depth > _MAX_DEPTH or seen > _MAX_SYNTAX_NODES:
        raise ChatTemplateError(problem="is nested too deeply or has too many parts")
    if not isinstance(node, (*_STATEMENTS, *_EXPRESSIONS)):
        name = type(node).__name__
        raise ChatTemplateError(problem=f"uses `{name}` (line {node.lineno}), which is not allowed")
    if isinstance(node, nodes.For) and node.recursive:
        raise ChatTemplateError(problem=f"uses a recursive loop (line {node.lineno})")
    text = node.value if isinstance(node, nodes.Const) else getattr(node, "data", "")
    if isinstance(text, str) and MARKED_RUN.search(text):
        raise ChatTemplateError(problem="holds characters of the private-use planes 15 or 16")


def _refuse_operation(operator: str, left: object, right: object) -> None:
    """Refuse what could be huge, before it is.

    Raises:
        ChatTemplateError: The result would not fit the limits.
    """
    if isinstance(left, str) and operator == "%":
        raise ChatTemplateError(problem="formats a text with `%`, which is not allowed")
    sizes = [_size(value) for value in (left, right)]
    numbers = [value for value in (left, right) if isinstance(value, int)]
    if operator == "*" and len(numbers) == 1 and max(sizes):
        current().budget.fits(max(sizes) * max(numbers[0], 0))
    is_power = operator == "**"
    if is_power and not (isinstance(right, (int, float)) and abs(right) <= _MAX_EXPONENT):
        raise ChatTemplateError(problem=f"raises a number to more than the power {_MAX_EXPONENT}")
    if any(number.bit_length() > _MAX_INT_BITS for number in numbers):
        raise ChatTemplateError(problem=f"reckons with numbers of more than {_MAX_INT_BITS} bits")


def _size(value: object) -> int:
    return len(cast("list[object]", value)) if isinstance(value, (str, list, tuple)) else 0


@pass_context
def _finalize(_context: Context, value: object) -> str:
    """Turn what `{{ }}` prints into text.

    The unused context keeps Jinja from working out constant expressions while it compiles.
    """
    return printed(value)


def for_templates(function: Callable[..., object]) -> Callable[..., object]:
    """Mark a function as callable from templates."""
    function.__dict__["is_for_templates"] = True
    return function


@for_templates
def _range(*args: int) -> range:
    numbers = range(*args)
    current().budget.iterates(numbers)
    return numbers


def compiled(sandbox: ChatSandbox, tree: nodes.Template) -> jinja2.Template:
    """Compile a checked template."""
    return sandbox.from_string(tree)
