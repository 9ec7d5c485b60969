"""Models on disk: the catalog, the store, download sources, GGUF headers and the machine."""

from smallhold.models.accelerators import Accelerator, AcceleratorKind
from smallhold.models.candidates import estimate_entry
from smallhold.models.catalog import (
    Catalog,
    CatalogEntry,
    CatalogModel,
    CatalogVariant,
    Category,
    ModelFormat,
    ModelPurpose,
    UseCase,
)
from smallhold.models.catalog_file import load_catalog, parse_catalog
from smallhold.models.choice import Choice, recommend, resolve
from smallhold.models.fit import MemoryEstimate, MemoryPlan, estimate_file, estimate_memory
from smallhold.models.gguf import GGUFHeader, read_gguf_header
from smallhold.models.gguf_tensors import TensorInfo
from smallhold.models.hardware import Hardware, detect_hardware, with_memory_now
from smallhold.models.installed import InstalledModel
from smallhold.models.need import Need, parse_need
from smallhold.models.overlays import add_to_overlay, open_catalog
from smallhold.models.power import PowerState, read_power_state
from smallhold.models.pull import PullPolicy, pull
from smallhold.models.pull_progress import PullPhase, PullProgress
from smallhold.models.reasons import PassedOver, Reason, ReasonKind
from smallhold.models.references import CatalogReference, FileReference, parse_reference
from smallhold.models.shape import ModelShape
from smallhold.models.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    SourceSpec,
    WheelPart,
)
from smallhold.models.sources import source_opener
from smallhold.models.store import ModelStore, open_store

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
