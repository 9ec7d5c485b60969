from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from smallhold.cli.residency_bench import report_table, residency_setup
from smallhold.evals.bench.residency import ResidencyReport
from smallhold.exceptions import ModelNotInstalledError
from smallhold.settings import Settings

REPORT = ResidencyReport(
    budget_bytes=1_200_000_000,
    peak_rss_bytes=1_100_000_000,
    requests=200,
    failed=0,
    loads=20,
    optimal_loads=30,
    estimate_error_max=0.047,
    seconds=250.0,
    samples=2500,
    models=(),
    errors=(),
)


def test_the_table_shows_every_figure() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(report_table(REPORT))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for shown in ("1,200 MB", "1,100 MB", "200", "20", "30", "4.7%"):
        assert shown in text


def test_a_model_that_is_not_there_is_named_with_its_command(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache")
    with pytest.raises(ModelNotInstalledError, match="smallhold pull smollm2-135m"):
        residency_setup(settings, requests=1, threads=1, console=Console(file=io.StringIO()))
