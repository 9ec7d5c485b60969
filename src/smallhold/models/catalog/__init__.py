"""The catalog: which models there are, which files they have, and who vouches for them."""

from smallhold.models.catalog.catalog import (
    Catalog,
    CatalogEntry,
    CatalogModel,
    CatalogVariant,
    Category,
    ModelFormat,
    ModelPurpose,
    UseCase,
)

__all__ = [
    "Catalog",
    "CatalogEntry",
    "CatalogModel",
    "CatalogVariant",
    "Category",
    "ModelFormat",
    "ModelPurpose",
    "UseCase",
]
