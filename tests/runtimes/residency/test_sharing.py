from __future__ import annotations

from smallhold.runtimes.residency import ResourceConfig, shared_residency
from smallhold.runtimes.residency.sharing import UNLIMITED


def test_equal_settings_share_a_residency_and_others_do_not() -> None:
    first = shared_residency(ResourceConfig(max_memory_usage="3GB"))
    assert shared_residency(ResourceConfig(max_memory_usage="3GB")) is first
    assert shared_residency(ResourceConfig(max_memory_usage="2GB")) is not first


def test_without_settings_there_is_one_without_limits() -> None:
    residency = shared_residency()
    assert residency is shared_residency(UNLIMITED)
    assert residency.config.max_memory_bytes is None
    assert not residency.config.power_management
