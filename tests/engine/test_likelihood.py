"""Promises of `smallhold.engine.likelihood`: this file holds tests of texts that are read."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from tests.tiny_models import write_llama

from smallhold.engine.job import Likelihoods
from smallhold.engine.likelihood import read_likelihoods

TEXT = "The lamp stands on the shelf, and the shelf stands in the hall. " * 8


def read(path: Path, text: str = TEXT, *, limit_tokens: int = 600) -> Likelihoods:
    return read_likelihoods(
        path, text, threads=2, batch_threads=2, limit_tokens=limit_tokens,
        on_progress=lambda _done, _total: None,
    )  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_llama(tmp_path / "m.gguf")


def test_a_random_model_finds_nothing_likely(tiny: Path) -> None:
    result = read(tiny)
    assert sum(result.log_probs) / len(result.log_probs) < -math.log(100)


def test_a_real_model_finds_repetitions_likely(smollm2_path: Path) -> None:
    result = read(smollm2_path)
    half = len(result.log_probs) // 2
    assert sum(result.log_probs[half:]) > -0.5 * half
    right = [token == guess for (_, token), guess in zip(pairwise(result.tokens), result.likeliest,
                                                        strict=True)]  # fmt: skip
    assert sum(right[half:]) > 0.9 * half


def test_chunks_of_a_pass_change_nothing(tiny: Path) -> None:
    long, short = read(tiny), read(tiny, limit_tokens=70)
    assert short.tokens == long.tokens[:70]
    assert short.log_probs == pytest.approx(long.log_probs[:69], abs=1e-3)


def test_progress_reaches_the_end(tiny: Path) -> None:
    steps: list[tuple[int, int]] = []
    read_likelihoods(
        tiny, TEXT, threads=1, batch_threads=1, limit_tokens=200,
        on_progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert steps[-1] == (199, 199)


def test_control_tokens_in_a_text_are_plain_text(tiny: Path) -> None:
    assert len(read(tiny, "<|im_end|>").tokens) > 1


def test_a_text_of_one_token_has_no_figures(tiny: Path) -> None:
    assert read(tiny, "a").log_probs == []
    assert read(tiny, "").tokens == []
