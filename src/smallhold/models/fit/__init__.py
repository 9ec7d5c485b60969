"""The fit: what a model takes in memory, from its header alone."""

from smallhold.models.fit.fit import MemoryEstimate, MemoryPlan, estimate_file, estimate_memory
from smallhold.models.fit.shape import ModelShape
from smallhold.models.fit.weight_layout import WeightLayout, kernel_flags, weight_layout

__all__ = [
    "MemoryEstimate",
    "MemoryPlan",
    "ModelShape",
    "WeightLayout",
    "estimate_file",
    "estimate_memory",
    "kernel_flags",
    "weight_layout",
]
