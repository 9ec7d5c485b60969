"""What tests of the command line share: this file holds makers of consoles and runs of commands."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from smallhold.cli.extras import EXTRAS
from smallhold.cli.findings import Findings
from smallhold.cli.main import app
from smallhold.cli.speed import Speed
from smallhold.models import Hardware

_HARDWARE = Hardware(
    system="Linux",
    machine="x86_64",
    cpu_model="Some CPU",
    cpu_flags=frozenset({"fma", "avx2"}),
    physical_cores=2,
    logical_cores=4,
    usable_cores=2,
    total_memory_bytes=8_000_000_000,
    available_memory_bytes=4_000_000_000,
)
_SPEED = Speed(
    model="small",
    engine_version="1.0",
    cpu_features=("AVX2",),
    load_s=1.0,
    prefill_tokens_per_s=200.0,
    decode_tokens_per_s=40.0,
)
_SOUND = Findings(
    hardware=_HARDWARE,
    compiler="/usr/bin/c++",
    compiler_problem=None,
    missing=dict.fromkeys(EXTRAS, ()),
    models=("small",),
    default_model="small",
    speed=_SPEED,
    failure=None,
)


@dataclass
class Screen:
    """A console whose output can be read."""

    file: io.StringIO = field(default_factory=io.StringIO)

    @property
    def console(self) -> Console:
        return Console(file=self.file, width=200, highlight=False)

    @property
    def text(self) -> str:
        return self.file.getvalue()


class CommandLine:
    """Runs commands in this process, in a home of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Result:
        environ = {"SMALLHOLD_HOME": str(self.home), "COLUMNS": "200", "SMALLHOLD_OFFLINE": "1"}
        return CliRunner().invoke(app, list(arguments), input=stdin, env=environ)


class Program:
    """Runs `python -m smallhold` as a process of its own."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "smallhold", *arguments]

    def __call__(
        self, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "200", **(environ or {})},
            timeout=300,
            check=False,
        )


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture(scope="session")
def sound_findings() -> Findings:
    """What `doctor` finds where all is well."""
    return _SOUND
