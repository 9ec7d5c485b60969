from __future__ import annotations

import math

import pytest

from smallhold import ResourceConfig
from smallhold.exceptions import ConfigError


def test_sizes_are_read_as_people_write_them() -> None:
    config = ResourceConfig(max_memory_usage="4GB", model_cache_size="2GiB")
    assert config.max_memory_bytes == 4 * 10**9
    assert config.model_cache_bytes == 2 * 2**30
    assert ResourceConfig(max_memory_usage=5_000_000).max_memory_bytes == 5_000_000


def test_nothing_is_limited_unless_it_is_said() -> None:
    config = ResourceConfig()
    assert config.max_memory_bytes is None
    assert config.model_cache_bytes is None
    assert config.max_concurrent_agents is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_memory_usage", "lots"),
        ("max_memory_usage", 0),
        ("model_cache_size", "-1GB"),
        ("max_concurrent_agents", 0),
        ("keep_alive_s", -1.0),
        ("keep_alive_s", math.nan),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_field(field: str, value: object) -> None:
    values: dict[str, object] = {field: value}
    with pytest.raises(ConfigError, match=field):
        ResourceConfig(**values)  # pyright: ignore[reportArgumentType] - what the test is about


def test_equal_settings_are_one() -> None:
    assert ResourceConfig(max_memory_usage="4GB") == ResourceConfig(max_memory_usage="4GB")
    assert len({ResourceConfig(), ResourceConfig()}) == 1
