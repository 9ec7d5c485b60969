"""A model small enough for any test: this file holds a writer of random safetensors files."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smallhold.engine.sentences.bert import BertShape

TINY = BertShape(layers=1, hidden=32, heads=2, feed_forward=64, vocabulary=30522, positions=48)


def tiny_tensors(shape: BertShape = TINY) -> dict[str, npt.NDArray[Any]]:
    """Random weights, the same in every run."""
    generator = np.random.default_rng(0)
    wide, inner = shape.hidden, shape.feed_forward
    sizes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (shape.vocabulary, wide),
        "embeddings.position_embeddings.weight": (shape.positions, wide),
        "embeddings.token_type_embeddings.weight": (2, wide),
        "embeddings.LayerNorm.weight": (wide,),
        "embeddings.LayerNorm.bias": (wide,),
    }
    for layer in range(shape.layers):
        name = f"encoder.layer.{layer}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            sizes[f"{name}attention.{part}.weight"] = (wide, wide)
            sizes[f"{name}attention.{part}.bias"] = (wide,)
        sizes[f"{name}intermediate.dense.weight"] = (inner, wide)
        sizes[f"{name}intermediate.dense.bias"] = (inner,)
        sizes[f"{name}output.dense.weight"] = (wide, inner)
        sizes[f"{name}output.dense.bias"] = (wide,)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            sizes[f"{name}{part}.weight"] = (wide,)
            sizes[f"{name}{part}.bias"] = (wide,)
    return {
        name: generator.standard_normal(size).astype(np.float32) for name, size in sizes.items()
    }


def write_safetensors(path: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> Path:
    """Write arrays as the format has them: length, header, data without holes."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        kind = {"float32": "F32", "int64": "I64"}[str(tensor.dtype)]
        header[name] = {
            "dtype": kind, "shape": list(tensor.shape), "data_offsets": [offset, end],
        }  # fmt: skip
        offset = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())
    return path
