"""Runtimes: one protocol for everything that runs a model."""

from smallhold.engine.config import ModelConfig
from smallhold.runtimes.dialects import DIALECTS, CallDialect
from smallhold.runtimes.limits import Capability, RuntimeLimits
from smallhold.runtimes.protocol import Runtime, TokenStream

__all__ = [
    "DIALECTS",
    "CallDialect",
    "Capability",
    "ModelConfig",
    "Runtime",
    "RuntimeLimits",
    "TokenStream",
]
