"""Residency: which models are in memory, and for how long."""

from smallhold.runtimes.residency.power_plan import PowerPlan, Strain
from smallhold.runtimes.residency.residency import Residency
from smallhold.runtimes.residency.residents import Holding, Place
from smallhold.runtimes.residency.resources import ResourceConfig
from smallhold.runtimes.residency.runtime import ResidentRuntime
from smallhold.runtimes.residency.sharing import shared_residency
from smallhold.runtimes.residency.specs import (
    Footprint,
    Loadable,
    ModelSpec,
    ProcessMemory,
    StoredModel,
)

__all__ = [
    "Footprint",
    "Holding",
    "Loadable",
    "ModelSpec",
    "Place",
    "PowerPlan",
    "ProcessMemory",
    "Residency",
    "ResidentRuntime",
    "ResourceConfig",
    "StoredModel",
    "Strain",
    "shared_residency",
]
