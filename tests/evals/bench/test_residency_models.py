from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.evals.bench.residency_models import fitting_file
from smallhold.models import detect_hardware, read_gguf_header

GB = 10**9


def test_a_file_that_fits_is_taken_as_it_is(smollm2_path: Path, tmp_path: Path) -> None:
    found = fitting_file(
        smollm2_path, budget_bytes=GB, hardware=detect_hardware(), threads=1, folder=tmp_path
    )
    assert found == smollm2_path
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_smaller_file_is_written_once_where_the_own_one_does_not_fit(
    smollm2_path: Path, tmp_path: Path
) -> None:
    written: list[int] = []
    for _ in range(2):
        found = fitting_file(
            smollm2_path,
            budget_bytes=10**6,
            hardware=detect_hardware(),
            threads=1,
            folder=tmp_path,
            on_quantizing=lambda: written.append(1),
        )
        assert read_gguf_header(found).file_type == "Q3_K_S"
        assert found.stat().st_size < smollm2_path.stat().st_size
    assert len(written) == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".gguf"]
