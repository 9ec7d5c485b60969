"""Promises of `smallhold.engine.quantizing`: this file holds tests of files that are made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
from tests.models.conftest import GGUFMaker
from tests.tiny_models import write_llama

from smallhold.engine.quantizing import QuantizeOrder, plan_quantizing, quantize
from smallhold.exceptions import (
    AlreadyQuantizedError,
    ConfigError,
    InvalidGGUFError,
    QuantizingError,
)
from smallhold.models.gguf.file_types import file_type_named
from smallhold.models.gguf.header import read_gguf_header


def order_of(source: Path, to: str = "Q4_0") -> QuantizeOrder:
    return QuantizeOrder(source=source, name="tiny", file_type=file_type_named(to), threads=1)


@pytest.fixture
def order(tmp_path: Path) -> QuantizeOrder:
    return order_of(write_llama(tmp_path / "m.gguf"))


@pytest.mark.parametrize("name", ["Q4_0", "Q8_0", "F16", "Q5_1"])
def test_a_file_is_written_as_planned(order: QuantizeOrder, tmp_path: Path, name: str) -> None:
    order = replace(order, file_type=file_type_named(name))
    plan = plan_quantizing(order)
    header = quantize(order, tmp_path / "q.gguf")
    assert header.file_type == name
    assert header.file_bytes <= plan.size_bytes < plan.source.file_bytes + 70_000
    assert header.file_bytes < plan.source.file_bytes
    assert header.chat_template == plan.source.chat_template


def test_tensors_are_announced_in_order(order: QuantizeOrder, tmp_path: Path) -> None:
    steps: list[tuple[int, int, str]] = []

    def note(number: int, total: int, name: str) -> None:
        steps.append((number, total, name))

    header = quantize(order, tmp_path / "q.gguf", on_tensor=note)
    assert [number for number, _, _ in steps] == list(range(1, len(header.tensors) + 1))
    assert {name for _, _, name in steps} == {tensor.name for tensor in header.tensors}


def test_shapes_that_a_type_does_not_allow_are_counted(order: QuantizeOrder) -> None:
    fine = replace(order, file_type=file_type_named("Q8_0"))
    assert plan_quantizing(fine).fallback_tensors == 0
    coarse = replace(order, file_type=file_type_named("Q4_K_M"))
    assert plan_quantizing(coarse).fallback_tensors > 0


def test_what_is_quantized_already_is_refused_unless_allowed(
    order: QuantizeOrder, tmp_path: Path
) -> None:
    quantize(replace(order, file_type=file_type_named("Q8_0")), tmp_path / "q.gguf")
    again = order_of(tmp_path / "q.gguf")
    with pytest.raises(AlreadyQuantizedError, match="--allow-requantize") as refused:
        plan_quantizing(again)
    assert refused.value.quantization == "Q8_0"
    allowed = replace(again, may_requantize=True)
    plan_quantizing(allowed)
    assert quantize(allowed, tmp_path / "r.gguf").file_type == "Q4_0"


def test_a_type_that_needs_to_be_told_what_matters_is_refused_without(tmp_path: Path) -> None:
    source = write_wide(tmp_path / "wide.gguf")
    with pytest.raises(ConfigError, match="--imatrix"):
        plan_quantizing(order_of(source, to="IQ2_XS"))


def test_what_matters_is_written_more_exactly(tmp_path: Path) -> None:
    source = write_wide(tmp_path / "wide.gguf")
    matrix = write_importance(tmp_path / "i.gguf", source=source)
    plain = order_of(source, to="Q4_0")
    told = replace(plain, importance=matrix)
    plan_quantizing(told)
    quantize(plain, tmp_path / "plain.gguf")
    quantize(told, tmp_path / "told.gguf")
    assert error_of(tmp_path / "told.gguf", source) < error_of(tmp_path / "plain.gguf", source)


def test_a_source_that_is_not_sound_never_reaches_native_code(tmp_path: Path) -> None:
    broken = tmp_path / "m.gguf"
    broken.write_bytes(GGUFMaker().file()[:-20])
    with pytest.raises(InvalidGGUFError):
        plan_quantizing(order_of(broken))
    with pytest.raises(InvalidGGUFError):
        plan_quantizing(order_of(tmp_path / "none.gguf"))


def test_a_piece_of_a_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "piece.gguf"
    path.write_bytes(GGUFMaker().file(pairs=[GGUFMaker().number("split.count", 3)]))
    with pytest.raises(ConfigError, match="gguf-split"):
        plan_quantizing(order_of(path))


def test_a_sound_file_that_is_no_model_is_refused_by_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(GGUFMaker().file(pairs=[GGUFMaker().string("general.architecture", "x")]))
    with pytest.raises(QuantizingError, match="unknown model architecture"):
        plan_quantizing(order_of(path))


def test_nothing_is_left_of_a_file_that_could_not_be_written(
    order: QuantizeOrder, tmp_path: Path
) -> None:
    with pytest.raises(QuantizingError):
        quantize(order, tmp_path / "none" / "q.gguf")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize(order, tmp_path / "q.gguf", on_tensor=interrupt)
    assert not (tmp_path / "q.gguf").exists()


def test_weights_that_are_no_numbers_are_refused(order: QuantizeOrder, tmp_path: Path) -> None:
    header = read_gguf_header(order.source)
    place = next(item for item in header.tensors if item.name == "blk.0.attn_q.weight")
    with order.source.open("r+b") as file:
        file.seek(header.data_offset_bytes + place.offset_bytes)
        file.write(np.full(64, np.nan, dtype=np.float32).tobytes())
    with pytest.raises(QuantizingError, match="invalid data"):
        quantize(order, tmp_path / "q.gguf")
    assert not (tmp_path / "q.gguf").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "largest_mb"), [("Q8_0", 146), ("Q2_K", 90)])
def test_a_real_model_is_made_again(
    smollm2_path: Path, tmp_path: Path, name: str, largest_mb: int
) -> None:
    order = replace(order_of(smollm2_path, to=name), may_requantize=True, threads=2)
    plan = plan_quantizing(order)
    header = quantize(order, tmp_path / "q.gguf")
    assert header.file_type == name
    assert header.file_bytes <= min(plan.size_bytes, largest_mb * 1_000_000)


MATRIX = "blk.0.ffn_down.weight"


def write_wide(path: Path) -> Path:
    """A model with one matrix that is as wide as the coarsest types need."""
    tiny = read_gguf_header(write_llama(path.with_name("narrow.gguf")))
    reader = gguf.GGUFReader(path.with_name("narrow.gguf"))
    writer = gguf.GGUFWriter(path, "llama")
    for key in ("block_count", "context_length", "embedding_length", "attention.head_count"):
        writer.add_uint32(f"llama.{key}", int(tiny.number(key) or 0))
    writer.add_uint32("llama.feed_forward_length", 256)
    writer.add_layer_norm_rms_eps(1e-5)
    rng = np.random.default_rng(5)
    for tensor in reader.tensors:
        data = np.asarray(tensor.data)
        if tensor.name == MATRIX:
            data = rng.standard_normal((64, 256)).astype(np.float32)
        writer.add_tensor(tensor.name, data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def weights_of_matter() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    matter = np.full(256, 1e-3, dtype=np.float32)
    matter[::8] = 1.0
    return matter


def write_importance(path: Path, *, source: Path) -> Path:
    """Say that each eighth weight matters, and the others hardly."""
    writer = gguf.GGUFWriter(path, "imatrix")
    for tensor in read_gguf_header(source).tensors:
        if len(tensor.shape) == 2:
            width = tensor.shape[0]
            matter = weights_of_matter() if tensor.name == MATRIX else np.ones(width, np.float32)
            writer.add_tensor(f"{tensor.name}.in_sum2", matter.reshape(1, width))
            writer.add_tensor(f"{tensor.name}.counts", np.ones((1, 1), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def error_of(quantized: Path, source: Path) -> float:
    """Squared error of the matrix, weighed by what matters."""
    whole, small = (
        next(item for item in gguf.GGUFReader(path).tensors if item.name == MATRIX)
        for path in (source, quantized)
    )
    restored = gguf.quants.dequantize(np.asarray(small.data), small.tensor_type)
    difference = restored - np.asarray(whole.data)
    return float((difference**2 * weights_of_matter()).sum())
