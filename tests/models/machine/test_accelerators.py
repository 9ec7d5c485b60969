"""Promises of `smallhold.models.machine.accelerators`:
this file holds tests of what an engine can use.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind, free_gpu_bytes

GIB = 1 << 30
CUDA, ROCM, VULKAN = AcceleratorKind.CUDA, AcceleratorKind.ROCM, AcceleratorKind.VULKAN
METAL, NPU = AcceleratorKind.METAL, AcceleratorKind.NPU


def accelerator(kind: AcceleratorKind, *, free_bytes: int | None = GIB) -> Accelerator:
    return Accelerator(kind=kind, name="one", memory_free_bytes=free_bytes)


@pytest.mark.parametrize(
    ("kind", "backend", "runs"),
    [
        (CUDA, CUDA, True),
        (CUDA, VULKAN, True),
        (ROCM, VULKAN, True),
        (ROCM, CUDA, False),
        (METAL, VULKAN, False),
        (NPU, VULKAN, False),
    ],
)
def test_an_engine_uses_what_it_was_built_for_and_vulkan_most_things(
    kind: AcceleratorKind, backend: AcceleratorKind, *, runs: bool
) -> None:
    assert accelerator(kind).runs_on({backend}) is runs


def test_layers_are_spread_over_all_gpus() -> None:
    gpus = [accelerator(CUDA), accelerator(CUDA, free_bytes=2 * GIB), accelerator(METAL)]
    assert free_gpu_bytes(gpus, backends={CUDA}) == 3 * GIB


def test_a_gpu_of_unknown_memory_has_none_to_give() -> None:
    assert free_gpu_bytes([accelerator(CUDA, free_bytes=None)], backends={CUDA}) == 0


@given(
    st.lists(st.builds(accelerator, st.sampled_from(AcceleratorKind))),
    st.sets(st.sampled_from(AcceleratorKind)),
)
def test_an_engine_for_more_kinds_never_has_less_memory(
    gpus: list[Accelerator], backends: set[AcceleratorKind]
) -> None:
    some = free_gpu_bytes(gpus, backends=backends)
    assert 0 <= some <= free_gpu_bytes(gpus, backends=set(AcceleratorKind))
