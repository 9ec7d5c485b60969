"""Promises of `smallhold.cli.failures`: this file holds tests of errors and exit codes."""

from __future__ import annotations

import pytest
import typer

from smallhold import exceptions
from smallhold.cli.exit_codes import ExitCode
from smallhold.cli.failures import exit_code, show_error, shows_failures
from smallhold.exceptions import (
    CallerError,
    EngineError,
    ModelError,
    ModelNotInstalledError,
    RunError,
    SmallholdError,
    UnknownModelError,
)


def command(error: Exception | None = None) -> None:
    @shows_failures
    def guarded() -> None:
        if error is not None:
            raise error

    guarded()


def error_classes() -> list[type[SmallholdError]]:
    classes = [item for item in vars(exceptions).values() if isinstance(item, type)]
    return [item for item in classes if issubclass(item, SmallholdError)]


@pytest.mark.parametrize("kind", error_classes())
def test_only_errors_of_the_caller_count_as_wrong_usage(kind: type[SmallholdError]) -> None:
    error = kind.__new__(kind)
    wanted = ExitCode.USAGE if issubclass(kind, CallerError) else ExitCode.FAILED
    assert exit_code(error) is wanted
    assert not (issubclass(kind, CallerError) and issubclass(kind, ModelError | EngineError))
    assert not (issubclass(kind, CallerError) and issubclass(kind, RunError))


def test_a_command_that_does_not_fail_ends_without_a_code() -> None:
    command()


def test_an_error_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        command(ModelNotInstalledError(alias="phi-4-mini"))
    assert caught.value.exit_code == ExitCode.FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "Error: The model 'phi-4-mini' is not on this machine. Run `smallhold pull phi-4-mini`.\n"
    )


def test_an_error_of_the_caller_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        command(UnknownModelError(alias="smoll", near=["smollm2-135m"], known=[]))
    assert caught.value.exit_code == ExitCode.USAGE
    assert "Did you mean smollm2-135m?" in capsys.readouterr().err


def test_a_missing_module_of_an_extra_names_the_command_that_installs_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as caught:
        command(ModuleNotFoundError("No module named 'msgspec'", name="msgspec"))
    assert caught.value.exit_code == ExitCode.FAILED
    assert "pip install 'smallhold[engine]'" in capsys.readouterr().err


def test_a_missing_module_of_the_user_is_not_explained_away() -> None:
    with pytest.raises(ModuleNotFoundError):
        command(ModuleNotFoundError("No module named 'mine'", name="mine"))


def test_a_message_cannot_write_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    show_error("bad \x1b[31mfile\x07 [bold]name[/bold]")
    assert capsys.readouterr().err == "Error: bad [31mfile [bold]name[/bold]\n"
