"""The machine for people and programs: this file holds how hardware and its state are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from smallhold.messages import JsonObject, JsonValue
from smallhold.models import Accelerator, AcceleratorKind, Hardware, PowerState

_GIGABYTE: Final = 1e9


def hardware_json(hardware: Hardware) -> JsonObject:
    """Write the machine as JSON."""
    flags: list[JsonValue] = [*sorted(hardware.cpu_flags)]
    accelerators: list[JsonValue] = [_accelerator_json(one) for one in hardware.accelerators]
    backends: list[JsonValue] = [*sorted(hardware.engine_backends)]
    return {
        "system": hardware.system,
        "machine": hardware.machine,
        "cpu_model": hardware.cpu_model,
        "cpu_flags": flags,
        "physical_cores": hardware.physical_cores,
        "efficiency_cores": hardware.efficiency_cores,
        "logical_cores": hardware.logical_cores,
        "usable_cores": hardware.usable_cores,
        "compute_cores": hardware.compute_cores,
        "total_memory_bytes": hardware.total_memory_bytes,
        "available_memory_bytes": hardware.available_memory_bytes,
        "accelerators": accelerators,
        "engine_backends": backends,
        "gpu_memory_bytes": hardware.gpu_memory_bytes,
    }


def power_json(power: PowerState) -> JsonObject:
    """Write battery, heat and memory pressure as JSON."""
    return {
        "on_battery": power.on_battery,
        "battery_ratio": power.battery_ratio,
        "hottest_celsius": power.hottest_celsius,
        "is_throttled": power.is_throttled,
        "throttle_events": power.throttle_events,
        "memory_pressure_ratio": power.memory_pressure_ratio,
        "available_memory_bytes": power.available_memory_bytes,
    }


def hardware_rows(hardware: Hardware) -> Iterator[tuple[str, str]]:
    """Lay the machine out for people: a name and a value on each line."""
    yield "system", f"{hardware.system} {hardware.machine}"
    yield "processor", hardware.cpu_model
    yield "instruction sets", " ".join(sorted(hardware.cpu_flags)) or "unknown"
    yield "cores", _cores(hardware)
    memory = (hardware.available_memory_bytes, hardware.total_memory_bytes)
    yield "memory", "{:.1f} GB free of {:.1f} GB".format(*(size / _GIGABYTE for size in memory))
    for one in hardware.accelerators:
        yield "NPU" if one.kind is AcceleratorKind.NPU else "GPU", _accelerator(one)


def power_rows(power: PowerState) -> Iterator[tuple[str, str]]:
    """Lay out what the system tells of battery, heat and memory pressure; nothing of the rest."""
    if power.on_battery is not None or power.battery_ratio is not None:
        yield "power", _power(power)
    heat = [] if power.hottest_celsius is None else [f"{power.hottest_celsius:.0f} °C"]
    if power.is_throttled is not None:
        heat.append("throttled" if power.is_throttled else "not throttled")
    if heat:
        yield "heat", ", ".join(heat)
    if power.memory_pressure_ratio is not None:
        yield "memory pressure", f"{power.memory_pressure_ratio:.0%} of the last 10 s"


def _cores(hardware: Hardware) -> str:
    text = f"{hardware.usable_cores} usable of {hardware.logical_cores}"
    if hardware.efficiency_cores:
        fast = hardware.physical_cores - hardware.efficiency_cores
        return f"{text}, {fast} fast and {hardware.efficiency_cores} efficient"
    if hardware.physical_cores < hardware.logical_cores:
        return f"{text}, {hardware.physical_cores} physical"
    return text


def _accelerator(one: Accelerator) -> str:
    parts = [one.name if one.kind is AcceleratorKind.NPU else f"{one.name} ({one.kind})"]
    if one.memory_total_bytes is not None:
        total = f"{one.memory_total_bytes / _GIGABYTE:.1f} GB"
        free = one.memory_free_bytes
        parts.append(total if free is None else f"{free / _GIGABYTE:.1f} GB free of {total}")
    if one.driver is not None:
        parts.append(f"driver {one.driver}")
    return ", ".join(parts)


def _power(power: PowerState) -> str:
    words = {True: "on battery", False: "on mains", None: "battery"}
    text = words[power.on_battery]
    return text if power.battery_ratio is None else f"{text}, {power.battery_ratio:.0%} full"


def _accelerator_json(one: Accelerator) -> JsonObject:
    return {
        "kind": one.kind,
        "name": one.name,
        "memory_total_bytes": one.memory_total_bytes,
        "memory_free_bytes": one.memory_free_bytes,
        "driver": one.driver,
        "shares_memory": one.shares_memory,
    }
