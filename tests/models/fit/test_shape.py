"""Promises of `smallhold.models.fit.shape`:
this file holds tests of what is read out of headers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from tests import tiny_models

from smallhold.models.fit.shape import KNOWN_ARCHITECTURES, ModelShape
from smallhold.models.gguf.header import read_gguf_header

KEYS = tiny_models.KEY_HEADS * tiny_models.HEAD_WIDTH


def shape_of(write: Callable[[Path], Path], folder: Path) -> ModelShape:
    return ModelShape.of(read_gguf_header(write(folder / "m.gguf")))


def test_a_transformer_keeps_keys_and_values_in_every_layer(tmp_path: Path) -> None:
    shape = shape_of(tiny_models.write_llama, tmp_path)
    assert shape.is_known
    assert shape.kv_layers == shape.block_count == tiny_models.LAYERS
    assert shape.key_elements == shape.value_elements == tiny_models.LAYERS * KEYS
    assert (shape.recurrent_layers, shape.recurrent_elements) == (0, 0)


def test_a_window_is_read(tmp_path: Path) -> None:
    shape = shape_of(tiny_models.write_sliding_window, tmp_path)
    assert shape.sliding_window == tiny_models.WINDOW_TOKENS


def test_a_recurrent_model_keeps_a_state_and_no_keys(tmp_path: Path) -> None:
    shape = shape_of(tiny_models.write_recurrent, tmp_path)
    inner = 2 * tiny_models.WIDTH
    assert shape.is_known
    assert shape.key_elements == 0
    assert shape.recurrent_layers == tiny_models.LAYERS
    assert shape.recurrent_elements == 3 * inner + inner * tiny_models.STATE_WIDTH


def test_a_hybrid_keeps_keys_in_some_layers_and_states_in_others(tmp_path: Path) -> None:
    shape = shape_of(tiny_models.write_hybrid, tmp_path)
    assert (shape.kv_layers, shape.recurrent_layers, shape.block_count) == (1, 3, 4)
    assert shape.key_elements == KEYS


def test_a_short_convolution_is_a_state_of_a_few_tokens(tmp_path: Path) -> None:
    shape = shape_of(tiny_models.write_short_convolution, tmp_path)
    assert (shape.kv_layers, shape.recurrent_layers) == (1, 2)
    assert shape.recurrent_elements == 2 * tiny_models.WIDTH


def write_named(path: Path, architecture: str, tensors: dict[str, int], **numbers: int) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    for name, value in numbers.items():
        writer.add_uint32(f"{architecture}.{name.replace('__', '.')}", value)
    for name, width in tensors.items():
        weights = tiny_models.RandomWeights(1).matrix(width, width)
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_layers_of_linear_attention_keep_no_keys(tmp_path: Path) -> None:
    path = write_named(
        tmp_path / "m.gguf", "qwen3next",
        {"blk.0.attn_qkv.weight": 8, "blk.0.ssm_conv1d.weight": 8, "blk.1.attn_k.weight": 8},
        block_count=2,
    )  # fmt: skip
    shape = ModelShape.of(read_gguf_header(path))
    assert (shape.kv_layers, shape.recurrent_layers) == (1, 1)


def test_latent_attention_keeps_no_values(tmp_path: Path) -> None:
    path = write_named(
        tmp_path / "m.gguf", "deepseek2", {"blk.0.attn_kv_a_mqa.weight": 8},
        block_count=1, attention__head_count=4, attention__head_count_kv=1,
        attention__key_length=576, attention__value_length=512, attention__key_length_mla=192,
    )  # fmt: skip
    shape = ModelShape.of(read_gguf_header(path))
    assert (shape.key_elements, shape.value_elements) == (576, 0)


def test_layers_that_use_those_of_others_are_not_counted(tmp_path: Path) -> None:
    tensors = {f"blk.{layer}.attn_k.weight": 8 for layer in range(6)}
    path = write_named(
        tmp_path / "m.gguf", "gemma4", tensors, block_count=6, attention__shared_kv_layers=2
    )
    assert ModelShape.of(read_gguf_header(path)).kv_layers == 4


def test_a_reader_of_whole_texts_keeps_nothing(tmp_path: Path) -> None:
    path = write_named(
        tmp_path / "m.gguf", "bert", {"blk.0.attn_k.weight": 8},
        block_count=1, embedding_length=8, vocab_size=9,
    )  # fmt: skip
    shape = ModelShape.of(read_gguf_header(path))
    assert shape.kv_layers == 0
    assert shape.is_known


def test_a_state_of_time_mixing_is_as_large_as_its_heads(tmp_path: Path) -> None:
    path = write_named(
        tmp_path / "m.gguf", "rwkv7", {"blk.0.time_mix_key.weight": 8},
        block_count=1, embedding_length=8, vocab_size=9, wkv__head_size=4,
    )  # fmt: skip
    shape = ModelShape.of(read_gguf_header(path))
    assert shape.recurrent_elements == 8 * (2 + 4)
    assert shape.is_known


def test_a_header_that_says_nothing_has_a_shape_that_is_not_known(tmp_path: Path) -> None:
    path = write_named(tmp_path / "m.gguf", "nonsuch", {})
    shape = ModelShape.of(read_gguf_header(path))
    assert not shape.is_known
    assert shape.key_elements == 0


@pytest.mark.parametrize("missing", ["block_count", "embedding_length", "vocab_size"])
def test_a_known_architecture_that_says_too_little_is_not_known(
    tmp_path: Path, missing: str
) -> None:
    numbers = {
        "block_count": 1, "embedding_length": 8, "vocab_size": 9, "attention__head_count": 1,
    }  # fmt: skip
    tensors = {"blk.0.attn_k.weight": 8}
    path = write_named(tmp_path / "m.gguf", "llama", tensors, **numbers)
    assert ModelShape.of(read_gguf_header(path)).is_known
    del numbers[missing]
    path = write_named(tmp_path / "n.gguf", "llama", tensors, **numbers)
    assert not ModelShape.of(read_gguf_header(path)).is_known


def test_families_of_the_catalog_are_known() -> None:
    families = {"llama", "qwen2", "qwen3", "phi3", "gemma", "gemma3", "smollm3", "granite", "lfm2"}
    assert families <= KNOWN_ARCHITECTURES
