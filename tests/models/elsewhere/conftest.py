"""What tests of other programs' models share: this file holds those folders as fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.models.foreign_folders import HubCache, OllamaFolder


@pytest.fixture
def hub_cache(tmp_path: Path) -> HubCache:
    return HubCache(tmp_path / "hub")


@pytest.fixture
def ollama(tmp_path: Path) -> OllamaFolder:
    return OllamaFolder(tmp_path / "ollama")
