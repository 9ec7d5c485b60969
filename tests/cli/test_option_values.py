"""Promises of `smallhold.cli.option_values`: this file holds tests of options as one value."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from smallhold.cli.option_values import takes_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    source: Annotated[str, typer.Argument()]
    size: Annotated[int, typer.Option(min=1)] = 3
    folder: Annotated[Path | None, typer.Option("--in")] = None
    quick: Annotated[bool, typer.Option("--quick")] = False


def run(*arguments: str) -> tuple[Result, list[Wishes]]:
    taken: list[Wishes] = []
    app = typer.Typer()

    @app.command()
    @takes_options(Wishes)
    def wish(wishes: Wishes) -> None:
        """Wish for something."""
        taken.append(wishes)

    return CliRunner().invoke(app, list(arguments)), taken


def test_options_arrive_as_one_value() -> None:
    _, taken = run("a", "--size", "5", "--in", "b", "--quick")
    assert taken == [Wishes(source="a", size=5, folder=Path("b"), quick=True)]


def test_what_is_left_out_has_its_default() -> None:
    _, taken = run("a")
    assert taken == [Wishes(source="a")]


@pytest.mark.parametrize("arguments", [(), ("a", "--size", "0"), ("a", "--sise", "5")])
def test_what_no_field_allows_is_refused(arguments: tuple[str, ...]) -> None:
    result, taken = run(*arguments)
    assert result.exit_code == 2
    assert not taken


def test_the_help_is_the_function_s_own() -> None:
    result, _ = run("--help")
    assert "Wish for something." in result.output
    assert "--quick" in result.output
