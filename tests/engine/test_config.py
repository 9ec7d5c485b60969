from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.engine.config import MIN_CONTEXT_TOKENS, ModelConfig
from smallhold.exceptions import ConfigError

MODEL = Path("model.gguf")


def test_the_defaults_are_allowed() -> None:
    assert ModelConfig(path=MODEL, name="m").context_tokens >= MIN_CONTEXT_TOKENS


def test_the_smallest_allowed_values_are_allowed() -> None:
    ModelConfig(
        path=MODEL,
        name="m",
        context_tokens=MIN_CONTEXT_TOKENS,
        cache_tokens=0,
        batch_tokens=1,
        threads=1,
    )


def config_with(field: str, value: int) -> ModelConfig:
    match field:
        case "context_tokens":
            return ModelConfig(path=MODEL, name="m", context_tokens=value)
        case "cache_tokens":
            return ModelConfig(path=MODEL, name="m", cache_tokens=value)
        case "batch_tokens":
            return ModelConfig(path=MODEL, name="m", batch_tokens=value)
        case _:
            return ModelConfig(path=MODEL, name="m", threads=value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("context_tokens", MIN_CONTEXT_TOKENS - 1),
        ("context_tokens", -1),
        ("cache_tokens", -1),
        ("batch_tokens", 0),
        ("threads", 0),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field: str, value: int) -> None:
    with pytest.raises(ConfigError) as caught:
        config_with(field, value)
    assert (caught.value.field, caught.value.value) == (field, value)
    assert "give" in caught.value.remedy
