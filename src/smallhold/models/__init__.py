"""Models on disk: the catalog, the store, download sources, GGUF headers and the machine."""

from smallhold.models.catalog import Catalog, CatalogEntry, ModelPurpose
from smallhold.models.catalog_file import load_catalog, parse_catalog
from smallhold.models.gguf import GGUFHeader, read_gguf_header
from smallhold.models.gguf_tensors import TensorInfo
from smallhold.models.hardware import Hardware, detect_hardware
from smallhold.models.pull import PullPhase, PullProgress, pull
from smallhold.models.source_specs import (
    FileSpec,
    HuggingFaceSpec,
    PypiSpec,
    SourceSpec,
    WheelPart,
)
from smallhold.models.sources import source_opener
from smallhold.models.store import InstalledModel, ModelStore

__all__ = [
    "Catalog",
    "CatalogEntry",
    "FileSpec",
    "GGUFHeader",
    "Hardware",
    "HuggingFaceSpec",
    "InstalledModel",
    "ModelPurpose",
    "ModelStore",
    "PullPhase",
    "PullProgress",
    "PypiSpec",
    "SourceSpec",
    "TensorInfo",
    "WheelPart",
    "detect_hardware",
    "load_catalog",
    "parse_catalog",
    "pull",
    "read_gguf_header",
    "source_opener",
]
