"""Promises of `smallhold.cli.engine_building`: this file holds tests of the build's progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.progress import Progress

from smallhold.cli.engine_building import BuildBar, build_with_progress
from smallhold.engine.build import BuildOutcome
from smallhold.engine.build_progress import BuildPhase, BuildProgress, OnProgress
from smallhold.exceptions import EngineBuildError

if TYPE_CHECKING:
    from tests.cli.conftest import Screen


def play(report: OnProgress) -> BuildOutcome:
    report(BuildProgress(phase=BuildPhase.DOWNLOAD))
    for done in range(1, 5):
        report(BuildProgress(phase=BuildPhase.COMPILE, done=done, total=4))
    report(BuildProgress(phase=BuildPhase.INSTALL))
    return BuildOutcome.BUILT


def test_each_phase_and_the_outcome_are_shown(screen: Screen) -> None:
    assert build_with_progress(play, console=screen.console) is BuildOutcome.BUILT
    for phase in (BuildPhase.DOWNLOAD, BuildPhase.COMPILE, BuildPhase.INSTALL):
        assert phase.value in screen.text
    assert screen.text.endswith("The engine is compiled and installed.\n")


def test_the_compiler_s_steps_move_one_bar(screen: Screen) -> None:
    with Progress(console=screen.console, auto_refresh=False) as progress:
        bar = BuildBar(progress)
        bar.show(BuildProgress(phase=BuildPhase.COMPILE, done=1, total=4))
        bar.show(BuildProgress(phase=BuildPhase.COMPILE, done=3, total=4))
        (task,) = progress.tasks
        assert (task.completed, task.total) == (3, 4)


def test_a_phase_is_finished_when_the_next_one_begins(screen: Screen) -> None:
    with Progress(console=screen.console, auto_refresh=False) as progress:
        bar = BuildBar(progress)
        bar.show(BuildProgress(phase=BuildPhase.CONFIGURE))
        bar.show(BuildProgress(phase=BuildPhase.COMPILE, done=0, total=4))
        configure, compile_ = progress.tasks
        assert configure.finished
        assert not compile_.finished


def test_a_build_that_is_not_needed_says_so(screen: Screen) -> None:
    build_with_progress(lambda _: BuildOutcome.ALREADY_INSTALLED, console=screen.console)
    assert "The engine is already installed." in screen.text


def test_an_error_of_the_build_is_raised(screen: Screen) -> None:
    def fail(report: OnProgress) -> BuildOutcome:
        report(BuildProgress(phase=BuildPhase.COMPILE, done=1, total=4))
        raise EngineBuildError(step="compiling", log="build.log", tail="no space")

    with pytest.raises(EngineBuildError):
        build_with_progress(fail, console=screen.console)
