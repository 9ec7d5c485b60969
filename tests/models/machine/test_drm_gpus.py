"""Promises of `smallhold.models.machine.drm_gpus`:
this file holds tests of finding GPUs of the kernel.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.drm_gpus import (
    KfdNode,
    drm_accelerators,
    gfx_target,
    parse_kfd_properties,
)

GIB = 1 << 30
KFD = "sys/class/kfd/kfd/topology/nodes"
PROPERTIES = "cpu_cores_count 0\nsimd_count 192\ngfx_target_version 110000\ndrm_render_minor 128\n"


def write_card(kernel: KernelTree, number: int, *, driver: str, **files: str) -> str:
    device = f"sys/class/drm/card{number}/device"
    kernel.write(f"{device}/uevent", f"DRIVER={driver}\nPCI_SLOT_NAME=0000:03:00.0\n")
    kernel.write_all(device, **files)
    kernel.write(f"{device}/drm/renderD{128 + number}/uevent")
    return device


def test_an_amd_card_with_its_compute_driver_tells_memory(kernel: KernelTree) -> None:
    write_card(
        kernel, 0, driver="amdgpu",
        mem_info_vram_total=str(24 * GIB), mem_info_vram_used=str(2 * GIB),
    )  # fmt: skip
    kernel.write(f"{KFD}/0/properties", "cpu_cores_count 16\ngfx_target_version 0\n")
    kernel.write(f"{KFD}/1/properties", PROPERTIES)
    assert drm_accelerators(kernel.sys) == (
        Accelerator(
            kind=AcceleratorKind.ROCM,
            name="AMD Radeon gfx1100",
            memory_total_bytes=24 * GIB,
            memory_free_bytes=22 * GIB,
            driver="amdgpu",
        ),
    )


def test_an_amd_card_without_its_compute_driver_speaks_vulkan(kernel: KernelTree) -> None:
    write_card(kernel, 0, driver="amdgpu", device="0x744c", mem_info_vram_total=str(8 * GIB))
    (card,) = drm_accelerators(kernel.sys)
    assert card.kind is AcceleratorKind.VULKAN
    assert card.name == "AMD Radeon 0x744c"
    assert card.memory_free_bytes is None


def test_a_processor_s_gpu_shares_the_machine_s_memory(kernel: KernelTree) -> None:
    write_card(
        kernel, 0, driver="amdgpu",
        mem_info_vram_total=str(GIB // 2), mem_info_vram_used="0",
    )  # fmt: skip
    write_card(kernel, 1, driver="i915", device="0x9a49")
    assert [one.shares_memory for one in drm_accelerators(kernel.sys)] == [True, True]


def test_a_server_card_tells_its_own_name(kernel: KernelTree) -> None:
    write_card(kernel, 0, driver="amdgpu", product_name="AMD Instinct MI210")
    assert [one.name for one in drm_accelerators(kernel.sys)] == ["AMD Instinct MI210"]


def test_what_only_shows_pictures_does_not_count(kernel: KernelTree) -> None:
    write_card(kernel, 0, driver="ast")
    write_card(kernel, 1, driver="simple-framebuffer")
    assert drm_accelerators(kernel.sys) == ()


def test_connectors_of_a_card_are_no_cards(kernel: KernelTree) -> None:
    device = write_card(kernel, 0, driver="v3d")
    kernel.write(device.replace("card0", "card0-HDMI-A-1") + "/uevent", "DRIVER=v3d\n")
    assert [one.name for one in drm_accelerators(kernel.sys)] == ["Broadcom VideoCore"]


@pytest.mark.parametrize(
    ("version", "target"), [(110000, "gfx1100"), (90010, "gfx90a"), (90402, "gfx942")]
)
def test_an_instruction_set_is_named_as_rocm_does(version: int, target: str) -> None:
    assert gfx_target(version) == target


def test_a_node_of_compute_is_read() -> None:
    assert parse_kfd_properties(PROPERTIES) == KfdNode(render_minor=128, target="gfx1100")


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_kfd_properties(text)


NAMES = st.sampled_from(["uevent", "mem_info_vram_total", "mem_info_vram_used", "product_name"])
TEXTS = st.binary(max_size=30) | st.sampled_from([b"DRIVER=amdgpu", b"-1", b"1" * 19])


@given(st.dictionaries(NAMES, TEXTS))
def test_strange_files_are_never_an_error(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    kernel = KernelTree(tmp_path_factory.mktemp("kernel"))
    for name, text in files.items():
        kernel.write(f"sys/class/drm/card0/device/{name}", text)
    for card in drm_accelerators(kernel.sys):
        assert card.name
        assert (card.memory_free_bytes or 0) <= (card.memory_total_bytes or 0)
