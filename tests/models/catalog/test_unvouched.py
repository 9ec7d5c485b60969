"""Promises of `smallhold.models.catalog.unvouched`:
this file holds tests of files nobody vouches for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import InvalidGGUFError, InvalidWeightsError
from smallhold.models.catalog.catalog import ModelFormat
from smallhold.models.catalog.unvouched import require_model

if TYPE_CHECKING:
    from tests.models.conftest import GGUFMaker


def safetensors() -> bytes:
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * 4


def test_a_model_of_each_format_passes(tmp_path: Path, gguf: GGUFMaker) -> None:
    path = tmp_path / "model"
    for data, kind in (
        (gguf.model(), ModelFormat.GGUF),
        (safetensors(), ModelFormat.SAFETENSORS),
        (b"\x08\x07\x12\x04", ModelFormat.ONNX),
    ):
        path.write_bytes(data)
        require_model(path, format=kind)


@pytest.mark.parametrize("data", [b"", b"<html>Log in</html>", b"\0" * 8, b"\xff" * 100])
@pytest.mark.parametrize("kind", list(ModelFormat))
def test_a_page_in_place_of_a_model_is_refused(
    tmp_path: Path, data: bytes, kind: ModelFormat
) -> None:
    path = tmp_path / "model"
    path.write_bytes(data)
    with pytest.raises((InvalidGGUFError, InvalidWeightsError)):
        require_model(path, format=kind)


def test_weights_that_were_cut_within_their_header_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(safetensors()[:30])
    with pytest.raises(InvalidWeightsError, match="safetensors"):
        require_model(path, format=ModelFormat.SAFETENSORS)
