"""Promises of `smallhold.models.fit.weight_layout`:
this file holds tests of how weights are held.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.conftest import GGUFMaker
from tests.tiny_models import write_llama

from smallhold.models.fit.weight_layout import WeightLayout, kernel_flags, should_map, weight_layout
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header
from smallhold.models.gguf.tensors import TensorInfo
from smallhold.models.machine.hardware import Hardware

AMX = frozenset({"avx2", "avx512f", "avx512_vnni", "amx_int8"})
AVX2 = frozenset({"avx2"})
ARM = frozenset({"asimd", "asimddp"})
Q4_K_BYTES = 144


def tensor(name: str, shape: tuple[int, ...], kind: str, size: int, offset: int = 0) -> TensorInfo:
    return TensorInfo(name=name, shape=shape, type_name=kind, offset_bytes=offset, size_bytes=size)


def header_of(*tensors: TensorInfo) -> GGUFHeader:
    end = max(item.offset_bytes + item.size_bytes for item in tensors)
    return GGUFHeader(
        version=3, metadata={}, array_lengths={}, omitted_keys=(), tensors=tensors,
        data_offset_bytes=1000, file_bytes=1000 + end,
    )  # fmt: skip


def matrix(
    kind: str = "Q4_K", *, name: str = "blk.0.ffn_up.weight", size: int = 8192
) -> TensorInfo:
    return tensor(name, (256, 64), kind, size)


def machine(flags: frozenset[str] = frozenset(), name: str = "x86_64") -> Hardware:
    return Hardware(
        system="Linux", machine=name, cpu_model="", cpu_flags=flags, physical_cores=2,
        logical_cores=2, usable_cores=2, total_memory_bytes=2**33, available_memory_bytes=2**33,
    )  # fmt: skip


def test_a_small_model_is_laid_out_as_llama_cpp_reports_it(smollm2_path: Path) -> None:
    # What `load_tensors` logs for this file on a CPU with AMX, in MiB.
    layout = weight_layout(read_gguf_header(smollm2_path), cpu_flags=AMX)
    assert layout.rearranged_bytes / 2**20 == pytest.approx(95.34, abs=0.01)
    assert layout.mapped_bytes / 2**20 == pytest.approx(92.10, abs=0.01)
    assert layout.plain_bytes / 2**20 == pytest.approx(28.82, abs=0.01)


def test_mixed_types_are_laid_out_as_llama_cpp_reports_them(qwen_coder_path: Path) -> None:
    layout = weight_layout(read_gguf_header(qwen_coder_path), cpu_flags=AMX)
    assert layout.rearranged_bytes / 2**20 == pytest.approx(225.48, abs=0.01)
    assert layout.mapped_bytes / 2**20 == pytest.approx(325.02, abs=0.01)
    assert layout.plain_bytes / 2**20 == pytest.approx(254.66, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "flags", "is_copied"),
    [
        ("Q4_K", AMX, True), ("Q4_K", AVX2, True), ("Q4_K", ARM, True),
        ("Q6_K", AMX, True), ("Q6_K", AVX2, False), ("Q6_K", ARM, True),
        ("Q8_0", AMX, True), ("Q8_0", AVX2, False), ("Q8_0", ARM, True),
        ("F16", AMX, True), ("F16", AVX2, False), ("F32", AMX, False), ("Q5_0", AMX, False),
        ("Q2_K", AVX2, False), ("Q2_K", frozenset({"avx512f"}), True),
        ("Q4_K", frozenset[str](), False),
    ],
)  # fmt: skip
def test_it_depends_on_the_cpu_which_types_are_rearranged(
    kind: str, flags: frozenset[str], *, is_copied: bool
) -> None:
    layout = weight_layout(header_of(matrix(kind)), cpu_flags=flags)
    assert (layout.rearranged_bytes > 0) is is_copied
    assert (layout.plain_bytes == 0) is is_copied


def test_amx_adds_four_bytes_to_each_block() -> None:
    layout = weight_layout(header_of(matrix(size=64 * Q4_K_BYTES)), cpu_flags=AMX)
    assert layout.rearranged_bytes == 64 * (Q4_K_BYTES + 4)


def test_rows_that_fill_no_tiles_stay_as_they_are() -> None:
    odd = tensor("blk.0.ffn_up.weight", (256, 33), "Q4_K", 33 * Q4_K_BYTES)
    assert weight_layout(header_of(odd), cpu_flags=AMX).rearranged_bytes == 0


def test_tables_whose_rows_are_looked_up_stay_as_they_are() -> None:
    names = ("token_embd.weight", "position_embd.weight", "per_layer_token_embd.weight")
    tables = [matrix(name=name) for name in (*names, "output.weight")]
    layout = weight_layout(header_of(*tables), cpu_flags=AVX2)
    assert layout.plain_bytes == len(names) * 8192


def test_a_table_that_is_the_output_as_well_is_there_in_both_orders() -> None:
    layout = weight_layout(header_of(matrix(name="token_embd.weight")), cpu_flags=AVX2)
    assert (layout.plain_bytes, layout.rearranged_bytes) == (8192, 8192)


def test_experts_are_not_rearranged_for_amx_but_for_older_instructions() -> None:
    experts = tensor("blk.0.ffn_up_exps.weight", (256, 64, 4), "Q4_K", 4 * 64 * Q4_K_BYTES)
    assert weight_layout(header_of(experts), cpu_flags=AMX).rearranged_bytes == experts.size_bytes
    only_amx = AMX - AVX2
    assert weight_layout(header_of(experts), cpu_flags=only_amx).rearranged_bytes == 0


def test_a_mapping_reaches_from_the_first_plain_tensor_to_the_last() -> None:
    tensors = (
        tensor("token_embd.weight", (256, 4), "F32", 4096, 0),
        tensor("blk.0.ffn_up.weight", (256, 64), "Q4_K", 9216, 4096),
        tensor("output_norm.weight", (256,), "F32", 1024, 13312),
        tensor("output.weight", (256, 64), "Q4_K", 9216, 14336),
    )
    layout = weight_layout(header_of(*tensors), cpu_flags=AVX2)
    assert layout.mapped_bytes == 14336
    assert layout.resident_bytes(is_mapped=True) == 14336 + 2 * 9216
    assert layout.resident_bytes(is_mapped=False) == 4096 + 1024 + 2 * 9216
    assert not layout.is_mapping_worthwhile


@given(plain=st.integers(0, 2**40), gap=st.integers(0, 2**40), copied=st.integers(0, 2**40))
def test_reading_never_takes_more_memory_than_mapping(plain: int, gap: int, copied: int) -> None:
    layout = WeightLayout(
        plain_bytes=plain, rearranged_bytes=copied, mapped_bytes=plain + gap,
        file_bytes=plain + gap, staged_bytes=0,
    )  # fmt: skip
    read, mapped = (layout.resident_bytes(is_mapped=mapped) for mapped in (False, True))
    assert read <= mapped <= layout.loading_bytes(is_mapped=True)
    assert read <= layout.loading_bytes(is_mapped=False)


def test_a_model_of_which_nothing_is_rearranged_is_mapped(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "m.gguf")
    assert should_map(path, hardware=machine(AVX2))


def test_a_model_of_which_most_is_rearranged_is_read(smollm2_path: Path) -> None:
    assert not should_map(smollm2_path, hardware=machine(AMX))
    assert should_map(smollm2_path, hardware=machine(AVX2))


def test_a_file_that_is_not_sound_is_left_for_whoever_loads_it(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(GGUFMaker().file()[:10])
    assert should_map(path, hardware=machine())
    assert should_map(tmp_path / "none.gguf", hardware=machine())


def test_flags_are_guessed_where_the_system_does_not_tell() -> None:
    assert kernel_flags(machine(AMX)) == AMX
    assert "avx2" in kernel_flags(machine())
    assert "asimddp" in kernel_flags(machine(name="arm64"))
    assert kernel_flags(machine(name="riscv64")) == frozenset()
