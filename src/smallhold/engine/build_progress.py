"""How far a build of the engine is: this file holds progress read from the build tools' output."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TextIO, TypeAlias

_NINJA_STEP: Final = re.compile(r"^\s*\[([0-9]{1,9})/([0-9]{1,9})\] ")
_MAKE_STEP: Final = re.compile(r"^\s*\[ {0,2}([0-9]{1,3})%\] ")
_PERCENT: Final = 100
_REPORT_STEP_PERCENT: Final = 5


class BuildPhase(StrEnum):
    """What the build is doing."""

    WAIT = "waiting for another build"
    DOWNLOAD = "downloading the source"
    CONFIGURE = "configuring"
    COMPILE = "compiling"
    INSTALL = "installing"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildProgress:
    """How far the build is."""

    phase: BuildPhase
    done: int = 0
    """Compiler steps that have begun."""
    total: int = 0
    """All compiler steps; 0 outside `BuildPhase.COMPILE`."""


OnProgress: TypeAlias = Callable[[BuildProgress], None]


def parse_progress(line: str) -> BuildProgress | None:
    """Recognise a line of scikit-build-core, ninja or make that shows progress."""
    if ninja := _NINJA_STEP.match(line):
        return _compiling(done=int(ninja[1]), total=int(ninja[2]))
    if make := _MAKE_STEP.match(line):
        return _compiling(done=int(make[1]), total=_PERCENT)
    if line.strip() == "*** Configuring CMake...":
        return BuildProgress(phase=BuildPhase.CONFIGURE)
    return None


def _compiling(*, done: int, total: int) -> BuildProgress | None:
    if not 0 <= done <= total or total == 0:
        return None
    return BuildProgress(phase=BuildPhase.COMPILE, done=done, total=total)


@dataclass(slots=True)
class TextProgress:
    """Writes progress as plain lines: each phase once, compiling in steps of five per cent."""

    out: TextIO
    shown: str = ""
    """The last line's text, which is not written again."""

    def __call__(self, progress: BuildProgress) -> None:
        """Write a line where it says something new."""
        text = progress.phase.value
        if progress.total:
            percent = _PERCENT * progress.done // progress.total
            text = f"{text} {percent - percent % _REPORT_STEP_PERCENT:3d} %"
        if text != self.shown:
            self.shown = text
            self.out.write(f"engine: {text}\n")
            self.out.flush()
