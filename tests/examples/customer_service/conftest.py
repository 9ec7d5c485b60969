"""Fixtures of the shop's tests: this file holds the freshly opened shop."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from customer_service.data import create_database


@pytest.fixture(scope="session")
def pristine_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pristine") / "shop.db"
    create_database(path)
    return path


@pytest.fixture
def shop(pristine_shop: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(pristine_shop, tmp_path / "shop.db"))
