"""Behaviour of the loader of tools named on the command line."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError, ToolDefinitionError
from smallhold.tools import load_object, load_tools

SOURCE = '''
from smallhold.tools import tool

def find(order_id: str) -> str:
    """Find an order."""
    return order_id

@tool(name="weather")
def get_weather(city: str) -> str:
    """Tell the weather."""
    return city

class shop:
    tools = [find, get_weather]
    pair = (find, get_weather)
    mixed = [find, 3]

def bare(city: str) -> str:
    return city
'''

WriteModule = Callable[[str], str]


@pytest.fixture
def write_module(tmp_path: Path) -> Iterator[WriteModule]:
    """Write a module of a fresh name; forget it after the test."""
    known, path = set(sys.modules), list(sys.path)

    def write(source: str) -> str:
        name = f"module_{uuid.uuid4().hex}"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        return name

    yield write
    sys.path[:] = path
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("object_name", "names"),
    [
        ("find", ["find"]),
        ("get_weather", ["weather"]),
        ("shop.tools", ["find", "weather"]),
        ("shop.pair", ["find", "weather"]),
    ],
)
def test_a_tool_a_function_or_a_list_of_them_is_loaded(
    write_module: WriteModule, tmp_path: Path, object_name: str, names: list[str]
) -> None:
    spec = f"{write_module(SOURCE)}:{object_name}"
    assert [tool.name for tool in load_tools(spec, directory=tmp_path)] == names


def test_the_current_directory_is_searched(
    write_module: WriteModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_object(f"{write_module('LIMIT = 3')}:LIMIT") == 3


def test_installed_modules_are_found_too() -> None:
    assert load_object("json.decoder:JSONDecoder.decode") is not None


@pytest.mark.parametrize("spec", ["", "shop", "shop:", ":tools", "a b:c", "shop:a.", "a:b:c"])
def test_a_text_of_another_form_is_refused_with_the_form(spec: str) -> None:
    with pytest.raises(ConfigError, match=r"package\.module:object"):
        load_object(spec)


def test_a_module_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="there is no module 'no_such_shop'"):
        load_object("no_such_shop.tools:find")


def test_an_object_that_does_not_exist_is_named_with_the_modules_file(
    write_module: WriteModule, tmp_path: Path
) -> None:
    name = write_module(SOURCE)
    with pytest.raises(ConfigError, match=rf"{name}\.py\) has no 'shop.tool'"):
        load_object(f"{name}:shop.tool", directory=tmp_path)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_library", "No module named 'no_such_library'"),
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused_with_the_reason(
    write_module: WriteModule, tmp_path: Path, source: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        load_object(f"{write_module(source)}:x", directory=tmp_path)
    assert caught.value.__cause__ is not None


def test_an_object_that_is_no_tool_is_refused_by_its_type(
    write_module: WriteModule, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="it holds a int"):
        load_tools(f"{write_module(SOURCE)}:shop.mixed", directory=tmp_path)


def test_a_function_that_cannot_become_a_tool_says_why(
    write_module: WriteModule, tmp_path: Path
) -> None:
    with pytest.raises(ToolDefinitionError, match="docstring"):
        load_tools(f"{write_module(SOURCE)}:bare", directory=tmp_path)


@given(st.text().filter(lambda text: ":" not in text))
def test_a_text_without_a_colon_is_never_imported(text: str) -> None:
    with pytest.raises(ConfigError):
        load_object(text)
