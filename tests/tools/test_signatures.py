"""Behaviour of the signature reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar, get_args

import pytest
from pydantic import Field

from smallhold.exceptions import ToolDefinitionError
from smallhold.tools.signatures import REQUIRED, AnyFunction, read_parameters, resolve_hints

if TYPE_CHECKING:
    from decimal import Decimal

P = ParamSpec("P")
R = TypeVar("R")


def pay(amount: Decimal) -> None: ...


class Shop:
    def find(self, order_id: str, days: int = 7) -> str:
        return f"{order_id} {days}"


def refused(function: AnyFunction, **descriptions: str) -> ToolDefinitionError:
    with pytest.raises(ToolDefinitionError) as caught:
        read_parameters(function, tool="the_tool", descriptions=descriptions)
    assert caught.value.tool == "the_tool"
    return caught.value


def test_parameters_keep_the_order_of_the_signature() -> None:
    def book(b: int, a: str = "x", *, c: float, d: bool = True) -> None: ...

    read = read_parameters(book, tool="book", descriptions={"c": "the price"})
    assert [parameter.name for parameter in read] == ["b", "a", "c", "d"]
    assert [parameter.annotation for parameter in read] == [int, str, float, bool]
    assert [parameter.default for parameter in read] == [REQUIRED, "x", REQUIRED, True]
    assert [parameter.description for parameter in read] == ["", "", "the price", ""]


def test_a_bound_method_hides_self() -> None:
    read = read_parameters(Shop().find, tool="find", descriptions={})
    assert [parameter.name for parameter in read] == ["order_id", "days"]


def test_a_method_without_its_object_is_refused() -> None:
    error = refused(Shop.find)
    assert error.parameter == "self"
    assert "bound method" in error.remedy


def test_annotated_metadata_is_kept() -> None:
    def wait(days: Annotated[int, Field(ge=1)]) -> None: ...

    hint = resolve_hints(wait, tool="wait")["days"]
    assert [type(part).__name__ for part in get_args(hint)] == ["type", "FieldInfo"]


def test_a_wrapped_function_shows_the_signature_of_the_inner_one() -> None:
    def traced(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(*args, **kwargs)

        return wrapper

    @traced
    def find(order_id: str) -> str:
        return order_id

    read = read_parameters(find, tool="find", descriptions={})
    assert [parameter.name for parameter in read] == ["order_id"]


def test_a_class_defined_beside_the_tool_is_found_though_hints_are_text() -> None:
    @dataclass
    class Box:
        width: int

    def pack(box: Box) -> None: ...

    assert resolve_hints(pack, tool="pack") == {"box": Box, "return": type(None)}


def test_a_class_two_functions_further_out_is_found() -> None:
    class Box: ...

    def inner() -> dict[str, object]:
        def pack(box: Box) -> None: ...

        return resolve_hints(pack, tool="pack")

    assert inner()["box"] is Box


def test_a_class_that_the_function_itself_uses_is_found_after_its_definition_ended() -> None:
    def factory() -> Callable[..., object]:
        class Box: ...

        def pack(box: Box) -> object:
            return [Box, box]

        return pack

    assert "Box" in str(resolve_hints(factory(), tool="pack")["box"])


def test_a_local_name_does_not_hide_the_type_of_a_hint() -> None:
    def due(day: date) -> None: ...

    def caller(date: str) -> object:
        assert date
        return resolve_hints(due, tool="due")["day"]

    assert caller("2030-01-31") is date


def test_the_local_names_of_a_caller_are_no_types_for_a_function_of_the_module() -> None:
    Decimal = str  # noqa: N806 - bears the name that the hint means
    assert Decimal
    assert "not defined" in refused(pay).problem


def test_a_function_that_calls_itself_can_be_read_while_it_is_being_defined() -> None:
    def read(function: AnyFunction) -> dict[str, object]:
        return dict(resolve_hints(function, tool="count"))

    @read
    def count(down: int) -> object:
        return count, down

    assert count["down"] is int


def test_a_type_that_exists_only_for_the_type_checker_is_refused() -> None:
    error = refused(pay)
    assert "'Decimal' is not defined" in error.problem
    assert "TYPE_CHECKING" in error.remedy


def test_a_parameter_without_annotation_is_refused() -> None:
    def find(order_id: str) -> None: ...

    find.__annotations__.clear()
    error = refused(find)
    assert (error.parameter, error.problem) == ("order_id", "it has no type annotation")
    assert "`order_id: str`" in error.remedy


def test_star_arguments_are_refused() -> None:
    def many(*orders: str) -> None: ...
    def options(**options: str) -> None: ...

    assert refused(many).parameter == "orders"
    assert refused(options).parameter == "options"


def test_a_positional_only_parameter_is_refused() -> None:
    def find(order_id: str, /) -> None: ...

    error = refused(find)
    assert error.parameter == "order_id"
    assert "`/`" in error.remedy


def test_a_field_as_default_value_is_refused() -> None:
    def wait(days: int = Field(default=1, ge=1)) -> None: ...

    error = refused(wait)
    assert error.parameter == "days"
    assert "Annotated" in error.remedy


def test_a_documented_parameter_that_does_not_exist_is_refused() -> None:
    def find(order_id: str) -> None: ...

    assert refused(find, order="the number").parameter == "order"
