from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from smallhold.evals.bench.residency import (
    ResidencyReport,
    ResidencySetup,
    estimate_error,
    run_residency,
)
from smallhold.exceptions import ConfigError
from smallhold.runtimes.residency import Holding, Place

PROMISED = {
    "budget_bytes",
    "peak_rss_bytes",
    "requests",
    "failed",
    "loads",
    "optimal_loads",
    "estimate_error_max",
}


def holding(*, estimated: int | None, peak: int) -> Holding:
    return Holding(
        name="a",
        place=Place.ABSENT,
        size_bytes=estimated,
        estimated_bytes=estimated,
        peak_rss_bytes=peak,
        requests=0,
        is_pinned=False,
        load_s=None,
    )


def test_an_estimates_error_is_relative_to_the_peak() -> None:
    assert estimate_error(holding(estimated=110, peak=100)) == pytest.approx(0.1)
    assert estimate_error(holding(estimated=90, peak=100)) == pytest.approx(0.1)
    assert estimate_error(holding(estimated=90, peak=0)) == 0.0
    assert estimate_error(holding(estimated=None, peak=0)) == 0.0


def test_a_report_has_the_promised_keys() -> None:
    report = ResidencyReport(
        budget_bytes=1,
        peak_rss_bytes=1,
        requests=1,
        failed=0,
        loads=1,
        optimal_loads=1,
        estimate_error_max=0.123456,
        seconds=1.0,
        samples=1,
        models=(holding(estimated=1, peak=1),),
        errors=(),
    )
    document = report.to_dict()
    assert set(document) >= PROMISED
    assert document["estimate_error_max"] == 0.1235


def test_settings_out_of_range_are_refused() -> None:
    sound = ResidencySetup(models=(("a", Path("a")),), threads=1)
    with pytest.raises(ConfigError, match="models"):
        replace(sound, models=())
    with pytest.raises(ConfigError, match="threads"):
        replace(sound, threads=0)
    with pytest.raises(ConfigError, match="requests"):
        replace(sound, requests=0)
    with pytest.raises(ConfigError, match="clients"):
        replace(sound, clients=0)


@pytest.mark.slow
async def test_two_models_under_a_budget_for_one_fail_nobody_and_stay_within_it(
    smollm2_path: Path, qwen_coder_path: Path
) -> None:
    setup = ResidencySetup(
        models=(("small", smollm2_path), ("large", qwen_coder_path)),
        threads=1,
        budget="0.95GB",
        requests=8,
    )
    ended: list[int] = []
    report = await run_residency(setup, on_answer=ended.append)
    assert report.failed == 0
    assert report.peak_rss_bytes <= report.budget_bytes
    assert report.loads <= 1.3 * report.optimal_loads
    assert sorted(ended) == list(range(1, 9))
