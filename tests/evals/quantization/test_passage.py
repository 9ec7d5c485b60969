"""Promises of `smallhold.evals.quantization.passage`: this file holds tests of the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.models.conftest import GGUFMaker
from tests.tiny_models import write_llama

from smallhold.evals.quantization.passage import LIMIT_TOKENS, passage, read_passage
from smallhold.exceptions import ModelLoadError


def test_the_passage_is_plain_text() -> None:
    text = passage()
    assert 1500 < len(text) < 5000
    assert "`" not in text
    assert "](" not in text


def test_a_real_model_predicts_it_better_than_one_of_random_weights(
    smollm2_path: Path, tmp_path: Path
) -> None:
    steps: list[int] = []
    real = read_passage(
        smollm2_path, threads=2, batch_threads=2, on_progress=lambda done, _: steps.append(done)
    )
    random = read_passage(write_llama(tmp_path / "m.gguf"), threads=1, batch_threads=1)
    assert real is not None
    assert random is not None
    assert 400 < real.tokens <= LIMIT_TOKENS
    assert steps[-1] == real.tokens
    assert real.perplexity < 100 < random.perplexity


def test_a_file_that_the_engine_refuses_is_said(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(GGUFMaker().file())
    with pytest.raises(ModelLoadError):
        read_passage(path, threads=1, batch_threads=1)
