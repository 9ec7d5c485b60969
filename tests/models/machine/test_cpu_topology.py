"""Promises of `smallhold.models.machine.cpu_topology`:
this file holds tests of counting cores by kind.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.cpu_topology import (
    MAX_CPUS,
    Cpu,
    CpuTopology,
    count_cores,
    parse_cpu_list,
    read_topology,
)


def write_cpus(kernel: KernelTree, siblings: Sequence[str], *, capacities: Sequence[int]) -> None:
    """One logical processor for each list of siblings."""
    for number, (shared, capacity) in enumerate(zip(siblings, capacities, strict=True)):
        folder = f"sys/devices/system/cpu/cpu{number}"
        kernel.write(f"{folder}/topology/core_cpus_list", f"{shared}\n")
        kernel.write(f"{folder}/cpu_capacity", f"{capacity}\n")


def topology(kernel: KernelTree, *, allowed: Collection[int] | None = None) -> CpuTopology | None:
    return read_topology(kernel.sys, allowed=allowed)


def test_two_threads_of_a_core_are_one_core(kernel: KernelTree) -> None:
    write_cpus(kernel, ["0,2", "1,3", "0,2", "1,3"], capacities=[1024] * 4)
    assert topology(kernel) == CpuTopology(physical_cores=2, usable_performance_cores=2)


def test_little_cores_of_an_arm_board_are_efficient(kernel: KernelTree) -> None:
    write_cpus(kernel, list("01234567"), capacities=[397] * 4 + [1024] * 4)
    assert topology(kernel) == CpuTopology(
        physical_cores=8, efficiency_cores=4, usable_performance_cores=4
    )


def test_middle_cores_are_not_efficient(kernel: KernelTree) -> None:
    write_cpus(kernel, list("0123"), capacities=[250, 780, 780, 1024])
    found = topology(kernel)
    assert found is not None
    assert found.efficiency_cores == 1


def test_what_the_kernel_calls_atom_is_efficient(kernel: KernelTree) -> None:
    write_cpus(kernel, ["0-1", "0-1", "2", "3"], capacities=[1024, 1024, 700, 700])
    kernel.write("sys/devices/cpu_core/cpus", "0-1\n")
    kernel.write("sys/devices/cpu_atom/cpus", "2-3\n")
    assert topology(kernel) == CpuTopology(
        physical_cores=3, efficiency_cores=2, usable_performance_cores=1
    )


def test_a_processor_of_small_cores_alone_has_no_efficient_ones(kernel: KernelTree) -> None:
    write_cpus(kernel, list("0123"), capacities=[1024] * 4)
    kernel.write("sys/devices/cpu_atom/cpus", "0-3\n")
    assert topology(kernel) == CpuTopology(physical_cores=4, usable_performance_cores=4)


def test_affinity_leaves_fewer_cores(kernel: KernelTree) -> None:
    write_cpus(kernel, ["0,2", "1,3", "0,2", "1,3"], capacities=[1024] * 4)
    found = topology(kernel, allowed={0, 2})
    assert found is not None
    assert found.physical_cores == 2
    assert found.usable_performance_cores == 1


def test_processors_that_are_switched_off_do_not_count(kernel: KernelTree) -> None:
    write_cpus(kernel, list("0123"), capacities=[1024] * 4)
    kernel.write("sys/devices/system/cpu/online", "0-1\n")
    found = topology(kernel)
    assert found is not None
    assert found.physical_cores == 2


def test_numbers_of_cores_serve_where_siblings_are_not_told(kernel: KernelTree) -> None:
    for number, (package, core) in enumerate([(0, 0), (0, 0), (1, 0)]):
        folder = f"sys/devices/system/cpu/cpu{number}/topology"
        kernel.write_all(folder, core_id=str(core), physical_package_id=str(package))
    found = topology(kernel)
    assert found is not None
    assert found.physical_cores == 2


def test_a_system_without_such_files_tells_nothing(kernel: KernelTree) -> None:
    assert topology(kernel) is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0-3,8\n", {0, 1, 2, 3, 8}),
        ("5", {5}),
        ("", set[int]()),
        ("0-", set[int]()),
        ("a-b", set[int]()),
        ("0-99999999999", set[int]()),
        ("3-1", set[int]()),
    ],
)
def test_a_list_of_processors_is_read_or_empty(text: str, numbers: set[int]) -> None:
    assert parse_cpu_list(text) == numbers


@given(st.text(st.sampled_from("0123456789-,\n x"), max_size=40))
def test_no_list_names_a_processor_that_cannot_be(text: str) -> None:
    assert all(0 <= number < MAX_CPUS for number in parse_cpu_list(text))


@given(st.sets(st.integers(0, MAX_CPUS - 1), min_size=1, max_size=20))
def test_a_list_is_read_as_it_was_written(numbers: set[int]) -> None:
    assert parse_cpu_list(",".join(str(number) for number in numbers)) == numbers


CPUS = st.lists(
    st.builds(
        Cpu,
        number=st.integers(0, 63),
        core=st.integers(0, 31),
        capacity=st.none() | st.integers(1, 1024),
    ),
    min_size=1,
    unique_by=lambda cpu: cpu.number,
)


@given(CPUS, st.sets(st.integers(0, 63)), st.none() | st.sets(st.integers(0, 63)))
def test_kinds_of_cores_never_add_up_to_more_than_there_are(
    cpus: list[Cpu], slow: set[int], allowed: set[int] | None
) -> None:
    found = count_cores(cpus, slow=slow, allowed=allowed)
    assert 1 <= found.physical_cores <= len(cpus)
    assert 0 <= found.efficiency_cores <= found.physical_cores
    assert found.usable_performance_cores <= found.physical_cores - found.efficiency_cores
