"""Promises of `smallhold.cli.quantize_measure`: this file holds tests of measured files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.tiny_models import write_llama

from smallhold.cli.quantize_measure import FileTrial, measure_file, require_bfcl
from smallhold.exceptions import ConfigError
from smallhold.models.gguf.header import read_gguf_header
from smallhold.models.machine.hardware import detect_hardware

if TYPE_CHECKING:
    from tests.cli.conftest import Screen


def trial(*, is_measured: bool, data: Path | None = None) -> FileTrial:
    return FileTrial(hardware=detect_hardware(), is_measured=is_measured, bfcl_data=data,
                     bfcl_rows=2)  # fmt: skip


def test_size_and_memory_need_no_loading(tmp_path: Path, screen: Screen) -> None:
    path = write_llama(tmp_path / "m.gguf")
    found = measure_file(
        path, read_gguf_header(path), name="tiny", trial=trial(is_measured=False),
        console=screen.console,
    )  # fmt: skip
    assert (found.quantization, found.size_bytes) == ("mixed types", path.stat().st_size)
    assert found.memory_bytes > found.size_bytes
    assert found.quality is found.decode_tokens_per_s is found.bfcl is None
    assert screen.text == ""


def test_a_loaded_file_has_rates_and_likelihoods(tmp_path: Path, screen: Screen) -> None:
    path = write_llama(tmp_path / "m.gguf")
    found = measure_file(
        path, read_gguf_header(path), name="tiny", trial=trial(is_measured=True),
        console=screen.console,
    )  # fmt: skip
    assert found.quality is not None
    assert found.quality.perplexity > 1
    assert found.prefill_tokens_per_s is not None
    assert "measuring tiny" in screen.text


@pytest.mark.slow
def test_a_file_is_scored_on_rows_of_its_own(
    qwen_coder_path: Path, eval_data: Path, screen: Screen
) -> None:
    data = eval_data / "bfcl"
    require_bfcl(data)
    found = measure_file(
        qwen_coder_path, read_gguf_header(qwen_coder_path), name="coder",
        trial=trial(is_measured=True, data=data), console=screen.console,
    )  # fmt: skip
    assert found.bfcl is not None
    assert found.bfcl.n == 2


def test_a_folder_without_the_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="multiple"):
        require_bfcl(tmp_path)
