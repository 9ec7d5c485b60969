"""The store: models on disk, who uses them, and which of them make room."""

from smallhold.models.store.installed import InstalledModel
from smallhold.models.store.store import ModelStore, open_store

__all__ = ["InstalledModel", "ModelStore", "open_store"]
