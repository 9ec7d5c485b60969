from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents import DEFAULT_GUARDRAILS, Config
from smallhold.agents.guardrails import InjectedResults
from smallhold.exceptions import ConfigError

BAD = [
    ("name", ""),
    ("name", "  "),
    ("model_alias", "\n"),
    ("max_tokens", 0),
    ("max_tokens", -5),
    ("temperature", -0.1),
    ("temperature", float("nan")),
    ("timeout", 0.0),
    ("timeout", -1.0),
    ("timeout", float("nan")),
    ("max_steps", 0),
    ("max_calls", 0),
    ("tool_limit", 0),
    ("fallback_alias", " "),
    ("keep_alive_s", -1.0),
    ("keep_alive_s", float("nan")),
    ("model_provider", "cloud"),
    ("privacy_mode", True),
    ("compliance", "GDPR"),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_bad_value_is_refused_by_field_value_and_remedy(field: str, value: object) -> None:
    settings = {"name": "desk"} | {field: value}
    with pytest.raises(ConfigError) as caught:
        Config(**settings)  # pyright: ignore[reportArgumentType] - values of several types
    assert caught.value.field == field
    assert field in str(caught.value)
    assert repr(value) in str(caught.value)
    assert caught.value.remedy
    assert caught.value.remedy in str(caught.value)


@pytest.mark.parametrize("field", ["endpoint", "api_key"])
def test_an_address_or_key_without_a_server_is_refused_and_not_shown(field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config(name="desk", **{field: "user:s3cret@host"})  # pyright: ignore[reportArgumentType] - one of two text fields
    assert caught.value.field == field
    assert "s3cret" not in f"{caught.value} {caught.value!r} {caught.value.args}"


def test_a_key_is_never_part_of_the_written_settings() -> None:
    hidden = [field.name for field in fields(Config) if not field.repr]
    assert hidden == ["api_key"]
    assert "api_key" not in repr(Config(name="desk"))


def test_a_name_is_all_that_must_be_given() -> None:
    config = Config(name="desk")
    assert (config.model_provider, config.offline_mode) == ("embedded", True)
    assert (config.temperature, config.timeout) == (0.0, 120.0)


def test_settings_cannot_be_changed_afterwards() -> None:
    config = Config(name="desk")
    with pytest.raises(FrozenInstanceError):
        config.name = "other"  # pyright: ignore[reportAttributeAccessIssue] - what the test is about


@given(
    st.integers(min_value=1),
    st.floats(min_value=0.0, allow_infinity=False),
    st.floats(min_value=0.001),
    st.integers(min_value=1),
)
def test_every_value_within_the_limits_is_taken(
    max_tokens: int, temperature: float, timeout: float, max_steps: int
) -> None:
    config = Config(
        name="desk",
        max_tokens=max_tokens,
        temperature=temperature,
        timeout=timeout,
        max_steps=max_steps,
    )
    assert (config.max_tokens, config.max_steps) == (max_tokens, max_steps)


@pytest.mark.parametrize("entry", ["topics", InjectedResults, print])
def test_what_is_no_guardrail_is_refused_by_field_and_remedy(entry: object) -> None:
    with pytest.raises(ConfigError) as caught:
        Config(name="desk", guardrails=(entry,))  # pyright: ignore[reportArgumentType] - what the test is about
    assert caught.value.field == "guardrails"
    assert caught.value.remedy


def test_results_and_claims_are_looked_at_unless_the_settings_say_otherwise() -> None:
    assert Config(name="desk").guardrails == DEFAULT_GUARDRAILS
    assert [guardrail.name for guardrail in DEFAULT_GUARDRAILS] == [
        "injected_results",
        "unfounded_actions",
    ]
    assert Config(name="desk", guardrails=()).guardrails == ()
