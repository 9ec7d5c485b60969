"""A home with small models in it, for tests of commands: this file holds their maker."""

from __future__ import annotations

from pathlib import Path

from tests.models.archives.conftest import model, variant
from tests.models.stored import put

from smallhold.models import ModelStore, add_to_overlay, open_catalog
from smallhold.settings import Settings


def settings_of(home: Path) -> Settings:
    return Settings(home=home, cache=home / "cache")


def know(home: Path, alias: str, content: bytes) -> None:
    """Add a model to the user's own catalog."""
    add_to_overlay(settings_of(home), model(alias, variant(content)))


def install(home: Path, alias: str, content: bytes) -> Path:
    """Get a model into the catalog and into the store."""
    know(home, alias, content)
    settings = settings_of(home)
    entry = open_catalog(settings).resolve(alias)
    return put(ModelStore(settings.model_store), entry, content)
