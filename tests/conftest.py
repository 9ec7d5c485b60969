"""What every test shares: this file holds the hypothesis profile and the fixtures of real data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from smallhold.engine.client import worker_environment
from smallhold.models import ModelStore, load_catalog
from smallhold.settings import load_settings

# Tests also evaluate models in this process, whose OpenMP library reads this when it is loaded.
os.environ.update(worker_environment(os.environ))

settings.register_profile("smallhold", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("smallhold")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """Folder of public evaluation sets, which are not part of the project."""
    folder = os.environ.get("SMALLHOLD_EVAL_DATA")
    if not folder:
        pytest.skip("SMALLHOLD_EVAL_DATA does not name a folder of evaluation sets")
    path = Path(folder)
    assert path.is_dir(), f"SMALLHOLD_EVAL_DATA={folder} is not a folder"
    return path


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """GGUF file of the smallest model, for tests that need any real model."""
    return stored_model("smollm2-135m")


@pytest.fixture(scope="session")
def qwen_coder_path() -> Path:
    """GGUF file of the demo's model, for tests that need a model which can call tools."""
    return stored_model("qwen2.5-coder-0.5b")


def stored_model(alias: str) -> Path:
    """Find a model in the store. Nothing is fetched: a test may not reach beyond this machine."""
    path = ModelStore(load_settings().model_store).find(load_catalog().resolve(alias))
    if path is None:
        refuse_without_model(alias)
    return path


def refuse_without_model(alias: str) -> NoReturn:
    """Skip where a model may be absent; on CI its absence is a failure of the set-up."""
    reason = f"the model {alias!r} is not in the store; run `smallhold pull {alias}`"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason)
    pytest.skip(reason)
