"""Promises of `smallhold.models.machine.cgroup_limits`: this file holds tests of reading limits."""

from __future__ import annotations

from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.cgroup_limits import CgroupLimits, read_cgroup_limits

GIB = 1 << 30


def limits(kernel: KernelTree) -> CgroupLimits:
    return read_cgroup_limits(proc=kernel.proc, cgroup=kernel.cgroup)


def test_the_tightest_group_of_version_2_limits(kernel: KernelTree) -> None:
    kernel.write("proc/self/cgroup", "0::/kube/pod\n")
    kernel.write("sys/fs/cgroup/kube/pod/cpu.max", "max 100000\n")
    kernel.write("sys/fs/cgroup/kube/cpu.max", "200000 100000\n")
    kernel.write("sys/fs/cgroup/kube/pod/memory.max", f"{4 * GIB}\n")
    kernel.write("sys/fs/cgroup/kube/pod/memory.current", f"{3 * GIB}\n")
    kernel.write("sys/fs/cgroup/kube/pod/memory.stat", f"inactive_file {GIB}\n")
    kernel.write("sys/fs/cgroup/kube/memory.max", f"{8 * GIB}\n")
    found = limits(kernel)
    assert found.cpu_cores == 2.0
    assert found.memory_bytes == 4 * GIB
    assert found.memory_left_bytes == 2 * GIB


def test_groups_of_version_1_are_read_from_their_own_trees(kernel: KernelTree) -> None:
    kernel.write("proc/self/cgroup", "2:memory:/docker/a\n1:cpu:/docker/a\n0::/\n")
    kernel.write("sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us", "50000\n")
    kernel.write("sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us", "100000\n")
    kernel.write("sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes", f"{2 * GIB}\n")
    kernel.write("sys/fs/cgroup/memory/docker/a/memory.usage_in_bytes", f"{3 * GIB}\n")
    found = limits(kernel)
    assert found.cpu_cores == 0.5
    assert found.memory_bytes == 2 * GIB
    assert found.memory_left_bytes == 0


def test_a_system_without_groups_has_no_limits(kernel: KernelTree) -> None:
    assert limits(kernel) == CgroupLimits()
