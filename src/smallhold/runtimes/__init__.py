"""Runtimes: one protocol for everything that runs a model."""

from smallhold.engine.config import KVType, ModelConfig, Numa
from smallhold.runtimes.dialects import DIALECTS, CallDialect
from smallhold.runtimes.limits import Capability, RuntimeLimits
from smallhold.runtimes.protocol import Embedder, Runtime, TokenStream, WorkerRuntime

__all__ = [
    "DIALECTS",
    "CallDialect",
    "Capability",
    "Embedder",
    "KVType",
    "ModelConfig",
    "Numa",
    "Runtime",
    "RuntimeLimits",
    "TokenStream",
    "WorkerRuntime",
]
