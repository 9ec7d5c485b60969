"""Behaviour of tools made from functions."""

from __future__ import annotations

import inspect
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Annotated, Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from smallhold.exceptions import ToolDefinitionError
from smallhold.messages import JsonObject, ToolSchema
from smallhold.tools import (
    TOOL_TIMEOUT_S,
    InvalidArguments,
    RunContext,
    Tool,
    ToolOptions,
    as_tool,
    tool,
)
from smallhold.tools import tool_from_function as make
from smallhold.tools.definition import properties_of, usable_name


class Category(Enum):
    BILLING = "billing"
    OTHER = "other"


class Contact(BaseModel):
    email: str


def order_status(order_id: str, days: int = 7) -> dict[str, str]:
    """Look up an order.

    Args:
        order_id: The number printed on the receipt.
    """
    return {"order": order_id, "days": str(days)}


def refused(function: Callable[..., object], *, name: str | None = None) -> ToolDefinitionError:
    with pytest.raises(ToolDefinitionError) as caught:
        make(function, name=name)
    return caught.value


def test_a_function_is_described_by_its_hints_and_docstring() -> None:
    assert make(order_status).schema == ToolSchema(
        name="order_status",
        description="Look up an order.",
        parameters={
            "type": "object",
            "properties": {
                "order_id": {
                    "type": "string",
                    "description": "The number printed on the receipt.",
                },
                "days": {"type": "integer", "default": 7},
            },
            "required": ["order_id"],
            "additionalProperties": False,
        },
    )


def test_a_tool_is_still_the_plain_function_to_its_callers() -> None:
    status = tool(order_status)
    found: dict[str, str] = status("7", days=1)
    assert found == {"order": "7", "days": "1"}


def test_the_decorator_works_bare_and_with_settings() -> None:
    @tool
    def first(city: str) -> str:
        """Say the city."""
        return city

    @tool(name="other-name", description="Shout.", timeout_s=5.0)
    def second(city: str) -> str:
        return city.upper()

    assert (first.name, first.timeout_s, first("a")) == ("first", TOOL_TIMEOUT_S, "a")
    assert (second.name, second.timeout_s, second("a")) == ("other-name", 5.0, "A")
    assert second.schema.description == "Shout."


async def test_a_coroutine_function_can_be_a_tool(anyio_backend: str) -> None:
    @tool
    async def double(number: int) -> int:
        """Double a number."""
        return number * 2

    assert anyio_backend
    assert await double(4) == 8


def test_a_bound_method_can_be_a_tool_and_hides_self() -> None:
    class Shop:
        def find(self, order_id: str) -> str:
            """Find an order."""
            return order_id

    find = make(Shop().find)
    assert find.schema.parameters["required"] == ["order_id"]
    assert find("7") == "7"


def test_arguments_become_python_values() -> None:
    @dataclass
    class Address:
        city: str

    @tool
    def ticket(category: Category, contact: Contact, to: Address | None = None) -> str:
        """Open a ticket."""
        return f"{category} {contact} {to}"

    written: JsonObject = {
        "category": "billing",
        "contact": {"email": "a@b.c"},
        "to": {"city": "Bern"},
    }
    assert ticket.validate(written) == {
        "category": Category.BILLING,
        "contact": Contact(email="a@b.c"),
        "to": Address(city="Bern"),
    }


def test_arguments_that_do_not_fit_are_answered_with_a_message() -> None:
    outcome = make(order_status).validate({"days": "many"})
    assert isinstance(outcome, InvalidArguments)
    assert outcome.message == (
        "argument `order_id`: is required but was left out; "
        'argument `days`: must be a whole number, got "many"'
    )


def test_the_same_function_gives_the_same_schema_each_time() -> None:
    assert make(order_status).schema == make(order_status).schema


def test_a_tool_is_taken_as_it_is_and_a_function_is_made_one() -> None:
    status = make(order_status)
    assert as_tool(status) is status
    assert as_tool(order_status).name == "order_status"


@pytest.mark.parametrize("name", ["", "1st", "with space", "a.b", "é", "x" * 65, "a\n"])
def test_a_name_that_runtimes_refuse_is_refused_first(name: str) -> None:
    error = refused(order_status, name=name)
    assert "name=" in error.remedy


@pytest.mark.parametrize("name", ["a", "_x", "order-status", "x" * 64])
def test_other_names_are_taken(name: str) -> None:
    assert make(order_status, name=name).name == name


def test_a_lambda_needs_a_name_a_description_and_nothing_else() -> None:
    assert refused(lambda: "now").tool == "<lambda>"
    assert make(lambda: "now", name="now", description="Tell the time.")() == "now"


def test_a_function_without_a_docstring_is_refused() -> None:
    def silent(city: str) -> str:
        return city

    error = refused(silent)
    assert error.tool == "silent"
    assert "description" in error.problem
    assert "docstring" in error.remedy


def test_a_type_that_a_model_cannot_fill_is_refused_by_tool_and_parameter() -> None:
    def send(text: str, over: socket.socket) -> None:
        """Send a text."""

    error = refused(send)
    assert (error.tool, error.parameter) == ("send", "over")


def test_a_documented_parameter_that_does_not_exist_is_refused() -> None:
    def find(order_id: str) -> None:
        """Find an order.

        Args:
            order: The number.
        """

    assert refused(find).parameter == "order"


def test_generators_are_refused() -> None:
    def numbers() -> Iterator[int]:
        """Count."""
        yield 1

    async def later() -> AsyncIterator[int]:
        """Count later."""
        yield 1

    for function in (numbers, later):
        assert "generator" in refused(function).problem


@pytest.mark.parametrize("thing", [len, Contact, partial(order_status, days=3), "order_status"])
def test_what_is_no_function_is_refused(thing: Callable[..., object]) -> None:
    assert "not a function" in refused(thing).problem


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, float("nan")])
def test_a_time_limit_that_is_no_time_is_refused(timeout_s: float) -> None:
    with pytest.raises(ToolDefinitionError, match="timeout_s"):
        make(order_status, timeout_s=timeout_s)


def test_a_schema_whose_root_is_not_an_object_is_refused() -> None:
    status = make(order_status)
    schema = ToolSchema(name="x", description="Do it.", parameters={"type": "string"})
    with pytest.raises(ToolDefinitionError, match="not an object"):
        Tool(schema=schema, function=status.function, arguments=status.arguments)


def test_hints_may_use_names_of_the_function_around_the_tool() -> None:
    limit = 5

    @tool
    def weather(unit: Literal["c", "f"], days: Annotated[int, Field(le=limit)] = 1) -> str:
        """Tell the weather."""
        return f"{unit} {days}"

    assert weather.schema.parameters["properties"] == {
        "unit": {"type": "string", "enum": ["c", "f"]},
        "days": {"type": "integer", "default": 1, "maximum": 5},
    }


def test_a_tool_cannot_be_changed() -> None:
    assert inspect.signature(make(order_status).function) == inspect.signature(order_status)
    with pytest.raises(AttributeError):
        make(order_status).timeout_s = 1.0  # pyright: ignore[reportAttributeAccessIssue] - the test


def test_settings_of_a_tool_are_kept() -> None:
    @tool(max_calls_per_run=2, composed=["body"], examples=["Write to Ann", "Mail the boss"])
    def send(to: str, body: str) -> str:
        """Send a message."""
        return to + body

    assert send.max_calls_per_run == 2
    assert send.schema.composed == ("body",)
    assert send.examples == ("Write to Ann", "Mail the boss")


def test_a_tool_has_no_limit_of_calls_and_composes_nothing_unless_it_says_so() -> None:
    plain = make(order_status)
    assert (plain.max_calls_per_run, plain.schema.composed, plain.examples) == (None, (), ())


def test_a_composed_parameter_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ToolDefinitionError, match="order_id, days") as caught:
        make(order_status, composed=("body",))
    assert caught.value.parameter == "body"


def test_a_context_cannot_be_composed() -> None:
    def send(context: RunContext[None], body: str) -> None:
        """Send."""

    with pytest.raises(ToolDefinitionError, match="no such parameter"):
        make(send, composed=("context",))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (ToolOptions(composed="days"), "not a sequence of texts"),
        (ToolOptions(examples="Where is my order?"), "not a sequence of texts"),
        (ToolOptions(examples=("Where is it?", " ")), "one of its `examples` is empty"),
        (ToolOptions(max_calls_per_run=0), "could never be called"),
        (ToolOptions(timeout_s=-1.0), "`timeout_s` is -1"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(options: ToolOptions, problem: str) -> None:
    with pytest.raises(ToolDefinitionError, match=problem):
        make(order_status, **options)


def test_a_misspelt_setting_fails_at_the_call() -> None:
    misspelt = cast("ToolOptions", {"timout_s": 3})
    with pytest.raises(TypeError, match="no setting 'timout_s'"):
        make(order_status, **misspelt)
    with pytest.raises(TypeError, match="no setting 'timout_s'"):
        tool(**misspelt)


def test_a_tool_may_have_sixty_parameters() -> None:
    source = ", ".join(f"p{number}: int = {number}" for number in range(60))
    space: dict[str, Callable[..., object]] = {}
    exec(f"def wide({source}) -> int:\n    'Add up.'\n    return p0 + p59", space)  # noqa: S102 - sixty parameters by hand would hide the point
    wide = make(space["wide"])
    assert len(properties_of(wide.schema)) == 60
    assert wide.validate({"p59": 1}) == {"p59": 1}


@pytest.mark.parametrize(
    ("name", "usable"),
    [
        ("get weather", "get_weather"),
        ("weather.get-current", "weather_get-current"),
        ("Überweisung", "Uberweisung"),
        ("2fa", "tool_2fa"),
        ("_private_", "private"),
        ("天気", "tool"),
        ("x" * 90, "x" * 64),
    ],
)
def test_a_name_from_outside_is_written_so_that_all_runtimes_take_it(
    name: str, usable: str
) -> None:
    assert usable_name(name) == usable


@given(st.text(max_size=90))
def test_every_usable_name_can_be_a_tools_name(name: str) -> None:
    assert make(order_status, name=usable_name(name)).name


def test_a_name_that_runtimes_refuse_is_answered_with_one_that_they_take() -> None:
    assert "such as 'get_weather'" in str(refused(order_status, name="get weather"))


def test_a_tool_is_neither_idempotent_nor_in_need_of_approval_unless_it_says_so() -> None:
    def pay(amount: int) -> str:
        """Pay an amount."""
        return f"{amount} paid"

    made = make(pay)
    assert (made.idempotent, made.may_require_approval) == (False, False)
    assert not made.needs_approval({"amount": 1})
    asking = make(pay, idempotent=True, requires_approval=True, approval_timeout_s=60)
    assert (asking.idempotent, asking.may_require_approval) == (True, True)
    assert asking.needs_approval({})


def test_a_rule_says_which_calls_need_approval_and_one_that_fails_says_all() -> None:
    def pay(amount: int) -> str:
        """Pay an amount."""
        return f"{amount} paid"

    def is_large(arguments: Mapping[str, object]) -> bool:
        amount = arguments["amount"]
        assert isinstance(amount, int)
        return amount > 10

    made = make(pay, requires_approval=is_large)
    assert made.may_require_approval
    assert not made.needs_approval({"amount": 10})
    assert made.needs_approval({"amount": 11})
    assert made.needs_approval({})
