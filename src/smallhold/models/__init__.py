"""Models on disk: the catalog, the store, download sources, GGUF headers and the machine."""

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
from smallhold.models.catalog.catalog_file import load_catalog, parse_catalog
from smallhold.models.catalog.overlays import add_to_overlay, open_catalog
from smallhold.models.catalog.references import CatalogReference, FileReference, parse_reference
from smallhold.models.catalog.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    SourceSpec,
    WheelPart,
)
from smallhold.models.choice.candidates import estimate_entry
from smallhold.models.choice.choice import Choice, recommend, resolve
from smallhold.models.choice.need import Need, parse_need
from smallhold.models.choice.reasons import PassedOver, Reason, ReasonKind
from smallhold.models.fit.fit import MemoryEstimate, MemoryPlan, estimate_file, estimate_memory
from smallhold.models.fit.shape import ModelShape
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header
from smallhold.models.gguf.tensors import TensorInfo
from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.hardware import Hardware, detect_hardware, with_memory_now
from smallhold.models.machine.power import PowerState, read_power_state
from smallhold.models.pulling.pull import PullPolicy, pull
from smallhold.models.pulling.pull_progress import PullPhase, PullProgress
from smallhold.models.sources import source_opener
from smallhold.models.store.installed import InstalledModel
from smallhold.models.store.store import ModelStore, open_store

__all__ = [
    "Accelerator",
    "AcceleratorKind",
    "Catalog",
    "CatalogEntry",
    "CatalogModel",
    "CatalogReference",
    "CatalogVariant",
    "Category",
    "Choice",
    "FileReference",
    "FileSpec",
    "GGUFHeader",
    "Hardware",
    "HttpsSpec",
    "HuggingFaceSpec",
    "InstalledModel",
    "MemoryEstimate",
    "MemoryPlan",
    "ModelFormat",
    "ModelPurpose",
    "ModelShape",
    "ModelStore",
    "Need",
    "OllamaSpec",
    "PassedOver",
    "PowerState",
    "PullPhase",
    "PullPolicy",
    "PullProgress",
    "PypiSpec",
    "Reason",
    "ReasonKind",
    "SourceSpec",
    "TensorInfo",
    "UseCase",
    "WheelPart",
    "add_to_overlay",
    "detect_hardware",
    "estimate_entry",
    "estimate_file",
    "estimate_memory",
    "load_catalog",
    "open_catalog",
    "open_store",
    "parse_catalog",
    "parse_need",
    "parse_reference",
    "pull",
    "read_gguf_header",
    "read_power_state",
    "recommend",
    "resolve",
    "source_opener",
    "with_memory_now",
]
