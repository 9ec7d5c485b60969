"""How hot the machine is, and whether that slows it: this file holds reading the kernel's sensors.

Source: the kernel's documentation, `driver-api/thermal/sysfs-api`, `hwmon/sysfs-interface` and
`ABI/testing/sysfs-devices-system-cpu`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.models.machine.kernel_files import (
    kernel_folders,
    kernel_number,
    kernel_text,
    kernel_word,
)

_MILLI: Final = 1000
_COLDEST_CELSIUS: Final = -40.0
_HOTTEST_CELSIUS: Final = 150.0
"""Industrial electronics work between these; what a sensor says beyond them is a fault of it."""
_OTHER_ZONES: Final = ("battery", "bms", "iwlwifi", "ath", "mt7", "nvme", "charger", "usb", "wifi")
"""Beginnings of names of zones that say nothing of how hard the machine may compute."""
_CPU_SENSORS: Final = frozenset({
    *("coretemp", "k10temp", "zenpower", "k8temp", "fam15h_power", "via_cputemp"),
    *("cpu_thermal", "soc_thermal", "cpu-thermal", "soc-thermal", "scpi_sensors", "acpitz"),
})
_CPU_COOLERS: Final = ("processor", "cpufreq", "thermal-cpufreq", "cpu-", "intel_powerclamp")
_PI_THROTTLED: Final = 0b1110
"""Bits of what a Raspberry Pi's firmware says of now: frequency capped, throttled, soft limit.
Source: the documentation of `vcgencmd get_throttled`."""
_PI_UNDER_VOLTAGE: Final = 0b0001
_HEX_BASE: Final = 16
_MAX_HEX_CHARS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalState:
    """Heat at one moment; `None` for what the system does not tell."""

    hottest_celsius: float | None = None
    is_throttled: bool | None = None
    throttle_events: int | None = None


def read_thermal_state(sys: Path) -> ThermalState:
    """Read all sensors that tell of processor and board."""
    zones = kernel_folders(sys / "class/thermal", pattern="thermal_zone*")
    temperatures = [*_zone_temperatures(zones), *_sensor_temperatures(sys)]
    signs = [*_cooling(sys), *_firmware(sys), *(sign for zone in zones for sign in _tripped(zone))]
    return ThermalState(
        hottest_celsius=max(temperatures, default=None),
        is_throttled=any(signs) if signs else None,
        throttle_events=_throttle_events(sys),
    )


def parse_celsius(text: str) -> float | None:
    """Read a sensor's thousandths of a degree; `None` for nonsense and broken sensors."""
    word = text.strip()
    digits = word.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len("999999")):
        return None
    celsius = int(word) / _MILLI
    return celsius if _COLDEST_CELSIUS < celsius < _HOTTEST_CELSIUS else None


def parse_firmware_throttling(text: str) -> bool | None:
    """Read what a Raspberry Pi's firmware says of heat and power just now, in hexadecimal."""
    word = text.strip().lower().removeprefix("throttled=").removeprefix("0x")
    if not word or len(word) > _MAX_HEX_CHARS or not set(word) <= set("0123456789abcdef"):
        return None
    return bool(int(word, _HEX_BASE) & (_PI_THROTTLED | _PI_UNDER_VOLTAGE))


def _zone_temperatures(zones: tuple[Path, ...]) -> Iterator[float]:
    for zone in zones:
        if not kernel_word(zone / "type").lower().startswith(_OTHER_ZONES):
            celsius = parse_celsius(kernel_text(zone / "temp"))
            if celsius is not None:
                yield celsius


def _sensor_temperatures(sys: Path) -> Iterator[float]:
    for chip in kernel_folders(sys / "class/hwmon", pattern="hwmon*"):
        if kernel_word(chip / "name").lower() in _CPU_SENSORS:
            for file in kernel_folders(chip, pattern="temp*_input"):
                celsius = parse_celsius(kernel_text(file))
                if celsius is not None:
                    yield celsius


def _tripped(zone: Path) -> Iterator[bool]:
    """For each point at which the kernel begins to throttle: whether it is passed."""
    celsius = parse_celsius(kernel_text(zone / "temp"))
    if celsius is None or kernel_word(zone / "type").lower().startswith(_OTHER_ZONES):
        return
    for file in kernel_folders(zone, pattern="trip_point_*_type"):
        limit = parse_celsius(kernel_text(zone / file.name.replace("_type", "_temp")))
        # Of passive points too the kernel's governor only begins to think at them; the processor
        # is certainly held back at those of kind `hot`.
        if kernel_word(file).lower() in {"hot", "critical"} and limit is not None and limit > 0:
            yield celsius >= limit


def _cooling(sys: Path) -> Iterator[bool]:
    """For each way of cooling by slowing the processor: whether it is used."""
    for device in kernel_folders(sys / "class/thermal", pattern="cooling_device*"):
        level = kernel_number(device / "cur_state")
        if level is not None and kernel_word(device / "type").lower().startswith(_CPU_COOLERS):
            # -1 is what an idle `intel_powerclamp` says.
            yield level > 0


def _firmware(sys: Path) -> Iterator[bool]:
    folder = sys / "devices/platform/soc"
    for file in kernel_folders(folder, pattern="soc:firmware*/get_throttled"):
        state = parse_firmware_throttling(kernel_text(file))
        if state is not None:
            yield state


def _throttle_events(sys: Path) -> int | None:
    counts = [
        count
        for file in kernel_folders(
            sys / "devices/system/cpu", pattern="cpu[0-9]*/thermal_throttle/*_throttle_count"
        )
        if (count := kernel_number(file)) is not None and count >= 0
    ]
    return sum(counts) if counts else None
