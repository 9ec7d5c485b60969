"""What tests of archives share: this file holds a machine with models, and one without."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.models.stored import put

from smallhold.models.archives import (
    ImportPlan,
    ImportTarget,
    export_models,
    import_models,
    plan_export,
    plan_import,
)
from smallhold.models.catalog.catalog import Catalog, CatalogModel, CatalogVariant, ModelFormat
from smallhold.models.catalog.source_specs import HuggingFaceSpec
from smallhold.models.store.store import ModelStore


def variant(content: bytes, *, quantization: str = "Q4_0") -> CatalogVariant:
    return CatalogVariant(
        quantization=quantization,
        format=ModelFormat.SAFETENSORS,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        sources=(HuggingFaceSpec(repo="owner/tiny", file=f"{quantization}.bin"),),
    )


def model(alias: str, *variants: CatalogVariant) -> CatalogModel:
    return CatalogModel(
        alias=alias,
        title=f"Model {alias}",
        family="tiny",
        parameter_count=7,
        licence="MIT",
        context_tokens=2048,
        call_dialect="hermes",
        variants=variants,
    )


@dataclass
class Machine:
    """A store with its catalog."""

    store: ModelStore
    models: dict[str, CatalogModel] = field(default_factory=dict[str, CatalogModel])
    refusal: str | None = None

    @property
    def catalog(self) -> Catalog:
        return Catalog(models=self.models)

    @property
    def target(self) -> ImportTarget:
        return ImportTarget(
            store=self.store,
            known=self.catalog,
            add_model=lambda model: self.models.update({model.alias: model}),
            refusal=lambda _: self.refusal,
        )

    def add(self, alias: str, content: bytes, *, quantization: str = "Q4_0") -> None:
        """Get a model into the store and into the catalog."""
        new = variant(content, quantization=quantization)
        known = self.models.get(alias)
        self.models[alias] = (
            model(alias, new) if known is None else replace(known, variants=(*known.variants, new))
        )
        entry = self.catalog.resolve(f"{alias}:{quantization.lower()}")
        put(self.store, entry, content)

    def export(self, path: Path, *names: str, split_bytes: int | None = None) -> tuple[Path, ...]:
        references = names or tuple(model.reference for model in self.store.installed())
        plan = plan_export(
            references, store=self.store, catalog=self.catalog, path=path, split_bytes=split_bytes
        )
        return export_models(plan)

    def plan(self, path: Path, *, only: Sequence[str] = ()) -> ImportPlan:
        return plan_import(path, target=self.target, only=only)

    def bring(self, path: Path, *, only: Sequence[str] = ()) -> ImportPlan:
        return import_models(path, target=self.target, only=only)

    def contents(self) -> dict[str, bytes]:
        """Every installed model's bytes by its reference."""
        return {item.reference: item.path.read_bytes() for item in self.store.installed()}


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    return Machine(ModelStore(tmp_path / "here"))


@pytest.fixture
def there(tmp_path: Path) -> Machine:
    return Machine(ModelStore(tmp_path / "there"))


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder to carry."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder
