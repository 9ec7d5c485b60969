"""Behaviour of the context that tools are given and models never see."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, dataclass
from typing import Annotated, Any, Protocol

import anyio
import pytest
from anyio import lowlevel

from smallhold.exceptions import ConfigError, ToolDefinitionError
from smallhold.messages import JsonObject, ToolCall
from smallhold.tools import (
    AnyTool,
    RunContext,
    ToolOutcome,
    check_context,
    run_tool,
    tool,
    tool_from_function,
)


@dataclass(frozen=True)
class Customer:
    number: str
    password: str = "hunter2"  # noqa: S105 - an invented one, which must not be shown


class HasNumber(Protocol):
    @property
    def number(self) -> str: ...


CUSTOMER = RunContext(value=Customer(number="C-7"), session="kiosk")


def orders(context: RunContext[Customer], days: int = 7) -> str:
    """List the customer's orders.

    Args:
        context: Whose orders; no model reads this.
        days: How far to look back.
    """
    return f"{context.value.number} {days} {context.session} {context.call_id}"


async def run(
    function: Callable[..., object], given: RunContext[object] | None = None, /, **written: object
) -> ToolOutcome:
    named: AnyTool = tool_from_function(function, name="the_tool", description="Do it.")
    arguments: JsonObject = {key: str(value) for key, value in written.items()}
    return await run_tool(
        named, ToolCall(id="c1", name="the_tool", arguments=arguments), context=given
    )


def refused(function: Callable[..., object]) -> ToolDefinitionError:
    with pytest.raises(ToolDefinitionError) as caught:
        tool_from_function(function, name="the_tool", description="Do it.")
    return caught.value


def test_a_context_is_hidden_from_the_model() -> None:
    schema = tool(orders).schema
    assert "context" not in str(schema)
    assert schema.parameters == {
        "type": "object",
        "properties": {
            "days": {"type": "integer", "description": "How far to look back.", "default": 7}
        },
        "additionalProperties": False,
    }


@pytest.mark.anyio
async def test_a_tool_is_given_the_callers_object_the_session_and_the_calls_id() -> None:
    assert (await run(orders, CUSTOMER, days=3)).content == "C-7 3 kiosk c1"


@pytest.mark.anyio
async def test_a_coroutine_function_and_a_bound_method_are_given_it_too() -> None:
    class Shop:
        async def find(self, context: RunContext[Customer]) -> str:
            await lowlevel.checkpoint()
            return context.value.number

    assert (await run(Shop().find, CUSTOMER)).content == "C-7"


@pytest.mark.anyio
async def test_a_model_cannot_pass_a_context_of_its_own() -> None:
    outcome = await run(orders, CUSTOMER, context="C-8")
    assert outcome.is_error
    assert outcome.content.startswith("argument `context`: does not exist (known: days)")


@pytest.mark.anyio
async def test_a_tool_without_context_takes_no_notice_of_one() -> None:
    def plain(city: str) -> str:
        return city

    assert (await run(plain, CUSTOMER, city="Bern")).content == "Bern"


@pytest.mark.anyio
async def test_a_tool_that_needs_a_context_is_not_run_without_one() -> None:
    with pytest.raises(ConfigError) as caught:
        await run(orders)
    assert caught.value.field == "context"
    assert "'the_tool' takes a RunContext[Customer]" in str(caught.value)


@pytest.mark.anyio
async def test_a_tool_that_only_wants_the_session_runs_without_an_object() -> None:
    def bare(context: object) -> str:
        return str(context)

    bare.__annotations__["context"] = RunContext  # as users without a type checker write it

    def anything(context: RunContext[object]) -> str:
        return str(context.value)

    def perhaps(context: RunContext[Customer | None]) -> str:
        return str(context.value)

    assert (await run(bare)).content.startswith("RunContext(value=None, session=None, call_id='c1'")
    assert (await run(anything)).content == "None"
    assert (await run(perhaps)).content == "None"


@pytest.mark.anyio
async def test_a_tool_is_told_when_it_will_be_given_up() -> None:
    def remaining(context: RunContext[None]) -> float:
        return context.deadline_s - time.monotonic()

    own = float((await run(remaining)).content)
    with anyio.fail_after(2):
        outer = float((await run(remaining)).content)
    assert 20 < own <= 30
    assert 0 < outer <= 2
    assert math.isinf(CUSTOMER.deadline_s)


def test_a_context_of_another_type_is_refused_without_showing_it() -> None:
    secret = {"password": "hunter2"}
    with pytest.raises(ConfigError) as caught:
        check_context([tool(orders)], secret)
    assert "dict" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_generic_type_is_known_by_its_class_and_a_protocol_by_being_there() -> None:
    def generic(context: RunContext[Mapping[str, int]]) -> None: ...
    def structural(context: RunContext[HasNumber]) -> None: ...
    def anything(context: RunContext[Any]) -> None: ...
    def annotated(context: Annotated[RunContext[int], "note"]) -> None: ...

    def accepts(function: Callable[..., object], value: object) -> bool:
        made = tool_from_function(function, description="Do it.")
        try:
            check_context([made], value)
        except ConfigError:
            return False
        return True

    assert accepts(generic, {"a": 1})
    assert not accepts(generic, [1])
    assert accepts(structural, Customer(number="1"))
    assert not accepts(structural, None)
    assert accepts(anything, None)
    assert accepts(annotated, 3)
    assert not accepts(annotated, "3")


def test_a_context_that_does_not_come_first_is_refused() -> None:
    def late(days: int, context: RunContext[Customer]) -> None: ...

    error = refused(late)
    assert error.parameter == "context"
    assert "first" in str(error)


def test_a_context_inside_another_type_is_refused() -> None:
    def union(context: RunContext[Customer] | None = None) -> None: ...
    def several(contexts: list[RunContext[Customer]]) -> None: ...

    assert refused(union).parameter == "context"
    assert refused(several).parameter == "contexts"


def test_a_tool_with_a_context_is_still_the_plain_function_to_its_callers() -> None:
    listed: str = tool(orders)(CUSTOMER, days=1)
    assert listed == "C-7 1 kiosk "


def test_a_context_cannot_be_changed_by_a_tool() -> None:
    with pytest.raises(FrozenInstanceError):
        CUSTOMER.session = "other"  # pyright: ignore[reportAttributeAccessIssue] - the point
