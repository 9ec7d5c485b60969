"""The machine: its cores, memory and accelerators, and what strains it."""

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.hardware import Hardware, detect_hardware, with_memory_now
from smallhold.models.machine.power import PowerState, read_power_state

__all__ = [
    "Accelerator",
    "AcceleratorKind",
    "Hardware",
    "PowerState",
    "detect_hardware",
    "read_power_state",
    "with_memory_now",
]
