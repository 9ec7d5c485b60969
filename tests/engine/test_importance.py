"""Promises of `smallhold.engine.importance`: this file holds tests of importance matrices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.tiny_models import write_llama

from smallhold.engine.importance import read_importance
from smallhold.exceptions import InvalidGGUFError


def write_matrix(path: Path, tensors: Mapping[str, NDArray[Any]]) -> Path:
    writer = gguf.GGUFWriter(path, "imatrix")
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def sums(*values: float) -> NDArray[np.float32]:
    return np.asarray([values], dtype=np.float32)


def test_sums_are_divided_by_how_many_were_counted(tmp_path: Path) -> None:
    path = write_matrix(
        tmp_path / "i.gguf", {"a.weight.in_sum2": sums(2, 4, 8), "a.weight.counts": sums(2)}
    )
    assert read_importance(path)["a.weight"].tolist() == [1.0, 2.0, 4.0]


def test_each_expert_is_divided_by_its_own_count(tmp_path: Path) -> None:
    both = np.asarray([[4, 8], [3, 9]], dtype=np.float32)
    counts = np.asarray([[4], [3]], dtype=np.float32)
    path = write_matrix(tmp_path / "i.gguf", {"e.in_sum2": both, "e.counts": counts})
    assert read_importance(path)["e"].tolist() == [1.0, 2.0, 1.0, 3.0]


def test_an_expert_that_nothing_was_sent_to_counts_all_alike(tmp_path: Path) -> None:
    path = write_matrix(tmp_path / "i.gguf", {"e.in_sum2": sums(0, 0), "e.counts": sums(0)})
    assert read_importance(path)["e"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "tensors",
    [
        {"a.in_sum2": sums(1, 2)},
        {"a.counts": sums(1)},
        {"a.in_sum2": sums(1, 2, 3), "a.counts": sums(1, 1)},
        {"a.in_sum2": sums(1, float("nan")), "a.counts": sums(1)},
        {"a.in_sum2": sums(1, 2).astype(np.float16), "a.counts": sums(1)},
    ],
    ids=["no counts", "no sums", "no whole rows", "not a number", "wrong type"],
)
def test_what_is_no_importance_matrix_is_refused(
    tmp_path: Path, tensors: Mapping[str, NDArray[Any]]
) -> None:
    path = write_matrix(tmp_path / "i.gguf", tensors)
    with pytest.raises(InvalidGGUFError):
        read_importance(path)


def test_a_model_is_no_importance_matrix(tmp_path: Path) -> None:
    with pytest.raises(InvalidGGUFError, match="no importance matrix"):
        read_importance(write_llama(tmp_path / "m.gguf"))
