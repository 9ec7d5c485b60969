from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.agents import Agent, Config
from smallhold.agents.providers import (
    file_spec,
    installed_embedder,
    model_spec,
    residency_for,
    runtime_for,
)
from smallhold.exceptions import (
    BudgetTooSmallError,
    ConfigError,
    InvalidGGUFError,
    ModelNotInstalledError,
    UnknownModelError,
)
from smallhold.models import load_catalog
from smallhold.models.machine.power import PowerState
from smallhold.runtimes import Capability
from smallhold.runtimes.dialects import HERMES
from smallhold.runtimes.residency import Residency, ResidentRuntime, ResourceConfig
from smallhold.settings import Settings, load_settings
from smallhold.testing import ManualClock, ScriptedRuntime


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home without any model."""
    monkeypatch.setenv("SMALLHOLD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SMALLHOLD_CACHE", str(tmp_path / "cache"))
    return load_settings()


@pytest.mark.usefixtures("settings")
def test_an_unknown_alias_names_the_ones_that_look_like_it() -> None:
    with pytest.raises(UnknownModelError) as caught:
        Agent(Config(name="desk", model_alias="qwen2.5-codr-0.5b"))
    assert caught.value.near[0] == "qwen2.5-coder-0.5b"
    assert "Did you mean qwen2.5-coder-0.5b" in str(caught.value)


@pytest.mark.usefixtures("settings")
def test_an_alias_like_no_other_names_all_there_are() -> None:
    with pytest.raises(UnknownModelError, match=r"smollm2-135m.*smallhold models list"):
        Agent(Config(name="desk", model_alias="xyzzy"))


@pytest.mark.usefixtures("settings")
def test_a_model_that_is_not_installed_names_the_command_that_fetches_it() -> None:
    with pytest.raises(ModelNotInstalledError, match=r"`smallhold pull qwen2\.5-coder-0\.5b`"):
        Agent(Config(name="desk"))


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("field", ["endpoint", "api_key"])
def test_an_address_or_key_for_the_embedded_provider_is_refused_and_not_shown(field: str) -> None:
    given = {"endpoint": None, "api_key": None} | {field: "s3cret"}
    with pytest.raises(ConfigError) as caught:
        runtime_for(Config(name="desk"), endpoint=given["endpoint"], api_key=given["api_key"])
    assert caught.value.field == {"endpoint": "model_endpoint", "api_key": "api_key"}[field]
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    missing = tmp_path / "absent.gguf"
    with pytest.raises(InvalidGGUFError, match=r"absent\.gguf"):
        Agent(Config(name="desk", model_id=str(missing)))
    with pytest.raises(InvalidGGUFError):
        residency_for(None, settings=settings).runtime(file_spec(tmp_path, settings=settings))


@pytest.mark.usefixtures("settings")
def test_a_file_that_is_no_model_is_refused_before_any_native_code_sees_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "letter.gguf"
    path.write_text("Dear Ada")
    with pytest.raises(InvalidGGUFError, match=r"letter\.gguf"):
        Agent(Config(name="desk", model_id=str(path)))


def test_a_given_runtime_is_used_and_nothing_is_looked_up(settings: Settings) -> None:
    runtime = ScriptedRuntime(["answer"])
    agent = Agent(Config(name="desk", model_alias="???"), runtime=runtime)
    assert agent.runtime is runtime
    assert not settings.home.exists()


def test_a_file_of_one_s_own_is_named_after_itself_and_not_loaded_yet(
    settings: Settings, smollm2_path: Path
) -> None:
    runtime = runtime_for(
        Config(name="desk", model_id=str(smollm2_path)), endpoint=None, api_key=None
    )
    assert isinstance(runtime, ResidentRuntime)
    assert runtime.name == f"embedded:{smollm2_path.stem}"
    assert runtime.limits.dialect is HERMES
    assert runtime.worker_pid is None
    assert not settings.cache.exists()


def test_a_model_of_the_catalog_speaks_its_dialect_and_is_named_by_its_alias(
    smollm2_path: Path,
) -> None:
    assert smollm2_path.exists()
    config = Config(name="desk", model_alias="smollm2-135m")
    runtime = runtime_for(config, endpoint=None, api_key=None)
    assert isinstance(runtime, ResidentRuntime)
    assert runtime.name == "embedded:smollm2-135m"
    assert runtime.worker_pid is None
    assert Capability.SCORING in runtime.limits.capabilities


@pytest.mark.usefixtures("smollm2_path")
def test_agents_with_equal_limits_share_their_models_and_others_do_not() -> None:
    def runtime(limits: ResourceConfig | Residency | None) -> ResidentRuntime:
        config = Config(name="desk", model_alias="smollm2-135m")
        agent = Agent(config, resource_limits=limits)
        assert isinstance(agent.runtime, ResidentRuntime)
        return agent.runtime

    first = runtime(ResourceConfig(max_memory_usage="3GB")).residency
    assert runtime(ResourceConfig(max_memory_usage="3GB")).residency is first
    assert runtime(ResourceConfig(max_memory_usage="2GB")).residency is not first
    own = Residency()
    assert runtime(own).residency is own
    assert runtime(None).residency.config.max_memory_bytes is None


@pytest.mark.usefixtures("smollm2_path")
def test_a_budget_that_no_file_of_the_model_fits_is_refused_at_once() -> None:
    with pytest.raises(BudgetTooSmallError):
        Agent(
            Config(name="desk", model_alias="smollm2-135m"),
            resource_limits=ResourceConfig(max_memory_usage="60MB"),
        )


def test_a_tight_budget_shortens_the_context_before_anything_else_is_pulled(
    smollm2_path: Path,
) -> None:
    roomy = model_spec("smollm2-135m", settings=load_settings(), budget_bytes=4 * 10**9)
    tight = model_spec("smollm2-135m", settings=load_settings(), budget_bytes=700 * 10**6)
    assert roomy.config.context_tokens == 8192
    assert tight.config.context_tokens <= 4096
    assert tight.config.path.samefile(smollm2_path)
    assert tight.config.cache_bytes is not None


def test_a_need_is_met_by_what_is_installed(smollm2_path: Path) -> None:
    reference = load_catalog().resolve("smollm2-135m").reference
    spec = model_spec(reference, settings=load_settings())
    assert spec.config.path.samefile(smollm2_path)
    assert spec.stored is not None
    assert spec.config.name == reference


@pytest.mark.slow
@pytest.mark.usefixtures("smollm2_path", "qwen_coder_path")
async def test_a_strained_machine_is_served_by_the_smaller_model_and_says_so() -> None:
    state = PowerState(memory_pressure_ratio=0.5)
    clock = ManualClock()
    residency = Residency(power=lambda: state, clock=clock)
    config = Config(name="desk", fallback_alias="smollm2-135m", max_tokens=2)
    agent = Agent(config, resource_limits=residency)
    try:
        strained = await agent.run("Say yes.")
        assert strained.degraded
        state = PowerState()
        clock.advance(60)
        assert not (await agent.run("Say yes.")).degraded
    finally:
        await agent.aclose()


@pytest.mark.usefixtures("settings")
def test_without_the_sentence_model_tools_are_found_by_their_words() -> None:
    assert installed_embedder() is None


def test_a_model_that_embeds_sentences_cannot_answer() -> None:
    with pytest.raises(ConfigError, match="embeds sentences") as caught:
        model_spec("all-minilm-l6-v2", settings=load_settings())
    assert caught.value.field == "model_alias"
