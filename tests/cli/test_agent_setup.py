"""Promises of `smallhold.cli.agent_setup`: this file holds tests of `--model` and `--tools`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smallhold.agents.config import DEFAULT_MODEL
from smallhold.cli.agent_setup import config_for, is_path, load_model, make_agent, model_name
from smallhold.exceptions import ConfigError
from smallhold.runtimes import WorkerRuntime
from smallhold.runtimes.protocol import Runtime
from smallhold.testing import ScriptedRuntime

TOOLS = '''
def lamp_stock(name: str) -> int:
    """Count lamps.

    Args:
        name: The lamp's name.
    """
    return len(name)
'''


def test_without_a_model_the_default_one_is_used() -> None:
    assert model_name(config_for(None)) == DEFAULT_MODEL


def test_an_alias_is_looked_up_in_the_catalog() -> None:
    config = config_for("smollm2-135m")
    assert (config.model_alias, config.model_id) == ("smollm2-135m", None)
    assert model_name(config) == "smollm2-135m"


@pytest.mark.parametrize("text", ["/models/own.gguf", "own.gguf", "./own", "OWN.GGUF"])
def test_a_path_is_a_file_and_no_alias(text: str) -> None:
    assert is_path(text)
    assert config_for(text).model_id == text


def test_a_file_is_named_without_its_folder_and_suffix() -> None:
    assert model_name(config_for("/models/own.Q4.gguf")) == "own.Q4"


def test_an_empty_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="model_alias"):
        config_for("")


def test_tools_are_loaded_by_module_and_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lamp_shop_tools.py").write_text(TOOLS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    agent = make_agent(
        config_for(None), tools="lamp_shop_tools:lamp_stock", runtime=ScriptedRuntime()
    )
    assert agent.tools.names == ("lamp_stock",)


def test_without_tools_the_agent_has_none() -> None:
    assert len(make_agent(config_for(None), runtime=ScriptedRuntime()).tools) == 0


@pytest.mark.anyio
async def test_a_runtime_that_cannot_describe_itself_needs_no_loading() -> None:
    assert await load_model(ScriptedRuntime()) == (None, 0.0)


@pytest.mark.anyio
async def test_loading_a_real_model_tells_what_it_is_and_how_long_it_took(
    smollm2_path: Path,
) -> None:
    runtime: Runtime = make_agent(config_for(str(smollm2_path))).runtime
    try:
        described, load_s = await load_model(runtime)
        assert isinstance(runtime, WorkerRuntime)
        assert described is not None
        assert described.pid == runtime.worker_pid
        assert load_s > 0
    finally:
        await runtime.aclose()
