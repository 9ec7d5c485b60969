from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from smallhold.engine.config import ModelConfig
from smallhold.exceptions import ConfigError
from smallhold.runtimes.residency import Footprint, ModelSpec

SPEC = ModelSpec(config=ModelConfig(path=Path("a.gguf"), name="a"))


def test_the_name_does_not_make_another_model_but_any_setting_does() -> None:
    renamed = replace(SPEC, config=replace(SPEC.config, name="b"))
    longer = replace(SPEC, config=replace(SPEC.config, context_tokens=1024))
    assert SPEC.loads_as(renamed)
    assert not SPEC.loads_as(longer)
    assert SPEC.loads_as(replace(SPEC, keep_alive_s=3.0))


def test_a_negative_keep_alive_is_refused() -> None:
    with pytest.raises(ConfigError, match="keep_alive_s"):
        replace(SPEC, keep_alive_s=-1.0)


def test_a_footprint_is_whole_with_its_cache() -> None:
    assert Footprint(resident_bytes=3, cache_bytes=4).total_bytes == 7
