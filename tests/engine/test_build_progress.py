"""Tests of the build's progress: this file holds promises about reading the tools' output."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.engine.build_progress import (
    BuildPhase,
    BuildProgress,
    TextProgress,
    parse_progress,
)


@pytest.mark.parametrize(
    ("line", "done", "total"),
    [
        ("  [1/140] /usr/bin/g++ -DGGML_BUILD -c ggml.cpp\n", 1, 140),
        ("[57/153] Building CXX object src/llama.cpp.o\n", 57, 153),
        ("  [140/140] : && /usr/bin/cmake -E cmake_symlink_library\n", 140, 140),
        ("[  3%] Building C object ggml.c.o\n", 3, 100),
        ("[100%] Linking CXX shared library libllama.so\n", 100, 100),
    ],
)
def test_a_compiler_step_is_read_as_progress(line: str, done: int, total: int) -> None:
    expected = BuildProgress(phase=BuildPhase.COMPILE, done=done, total=total)
    assert parse_progress(line) == expected


def test_the_start_of_cmake_is_read_as_configuring() -> None:
    progress = parse_progress("  *** Configuring CMake...\n")
    assert progress == BuildProgress(phase=BuildPhase.CONFIGURE)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "  Collecting scikit-build-core[pyproject]>=0.9.2\n",
        "  warning: array[3/4] is odd\n",
        "[5/3] impossible\n",
        "[0/0] nothing to do\n",
        "[101%] impossible\n",
        "[1/2]no space after the count\n",
    ],
)
def test_any_other_line_is_no_progress(line: str) -> None:
    assert parse_progress(line) is None


@given(st.text())
@example("[٣/٤] other digits")
@example("[99999999999999999999/99999999999999999999] far too many digits")
def test_progress_never_exceeds_its_total_whatever_the_line(line: str) -> None:
    progress = parse_progress(line)
    assert progress is None or 0 <= progress.done <= progress.total


@given(done=st.integers(1, 10**6), more=st.integers(0, 10**6), rest=st.text())
def test_every_ninja_step_is_recognised(done: int, more: int, rest: str) -> None:
    progress = parse_progress(f"  [{done}/{done + more}] {rest}")
    assert progress == BuildProgress(phase=BuildPhase.COMPILE, done=done, total=done + more)


def test_text_progress_says_each_thing_once_in_steps_of_five_per_cent() -> None:
    out = io.StringIO()
    report = TextProgress(out)
    report(BuildProgress(phase=BuildPhase.DOWNLOAD))
    report(BuildProgress(phase=BuildPhase.DOWNLOAD))
    for done in range(1, 8):
        report(BuildProgress(phase=BuildPhase.COMPILE, done=done, total=100))
    assert out.getvalue().splitlines() == [
        "engine: downloading the source",
        "engine: compiling   0 %",
        "engine: compiling   5 %",
    ]
