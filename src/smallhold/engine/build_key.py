"""What decides the engine's compiled bytes: this file holds the key of a build.

Two builds with equal keys are interchangeable, so they share one wheel in the cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from smallhold.exceptions import CompilerMissingError, ConfigError

COMPILERS: Final = ("c++", "g++", "clang++")
_C_COMPILERS: Final = (("clang++", "clang"), ("g++", "gcc"), ("c++", "cc"))
"""How a C++ compiler's name becomes that of its C compiler, also inside `g++-12`."""
_OWN_CMAKE_ARGS: Final = "-DLLAVA_BUILD=OFF -DGGML_NATIVE=ON"
"""No multimodal tools; every instruction of this CPU, even where SOURCE_DATE_EPOCH is set, which
turns llama.cpp's own default off. Source: llama.cpp, `ggml/CMakeLists.txt`."""
FORCED_HEADER: Final = Path(__file__).with_name("tile_config.h")
_PIN: Final = re.compile(r"([A-Za-z0-9._-]+)==(\S+)[\s\\]+--hash=sha256:([0-9a-f]{64})\s*")
_SHOWN_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePin:
    """The one source distribution that may be built."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildKey:
    """Everything that decides the compiled bytes."""

    version: str
    source_sha256: str
    python_tag: str
    platform: str
    """Operating system, machine and C library."""
    cpu_sha256: str
    """Hash of the machine's name and of its CPU's instruction-set flags."""
    compiler: str
    """First line of the compiler's `--version`; empty when there is no compiler."""
    cmake_args: str
    compiler_flags: str
    header_sha256: str
    """Hash of the header that is included before all sources."""

    @property
    def folder_name(self) -> str:
        """Name of the wheel's folder in the cache."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.version}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def parse_pin(text: str) -> SourcePin:
    """Read a requirements file that holds one pinned source distribution with one hash.

    Raises:
        ConfigError: The text is anything else.
    """
    match = _PIN.fullmatch(text)
    if match is None:
        raise ConfigError(
            field="The engine's pin",
            value=text[:_SHOWN_CHARS],
            remedy="it must read NAME==VERSION --hash=sha256:HEX",
        )
    return SourcePin(name=match[1], version=match[2], sha256=match[3])


def cpu_features(cpuinfo: str) -> str:
    """Instruction-set flags of the first CPU in `/proc/cpuinfo`, sorted; empty when not listed."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return " ".join(sorted(set(value.split())))
    return ""


def cmake_args(environ: Mapping[str, str]) -> str:
    """Options for CMake: our own, then the user's `$CMAKE_ARGS`, which may override them."""
    return f"{_OWN_CMAKE_ARGS} {environ.get('CMAKE_ARGS', '')}".strip()


def cxx_flags(environ: Mapping[str, str]) -> str:
    """Options for the C++ compiler: the user's, and a header that mends a compiler fault.

    The header's text says which. It is named by its hash in the key, since its place differs from
    one environment to the next and the compiled bytes do not.
    """
    return f'{environ.get("CXXFLAGS", "")} -include "{FORCED_HEADER}"'.strip()


def find_compiler(environ: Mapping[str, str]) -> Path:
    """Find the C++ compiler: `$CXX` where it is set, else the first of `COMPILERS` on `$PATH`.

    Raises:
        CompilerMissingError: There is none.
    """
    named = shlex.split(environ.get("CXX", ""))
    candidates = (named[0],) if named else COMPILERS
    for candidate in candidates:
        if found := shutil.which(candidate, path=environ.get("PATH", os.defpath)):
            return Path(found)
    raise CompilerMissingError(looked_for=candidates)


def compiler_choice(environ: Mapping[str, str]) -> dict[str, str]:
    """Values of `CXX` and `CC` that make CMake take the compiler that the key names.

    Without them scikit-build-core takes the compiler that Python itself was built with, which need
    not be on this machine.

    Raises:
        CompilerMissingError: There is no C++ compiler.
    """
    compiler = find_compiler(environ)
    choice = {"CXX": environ.get("CXX") or str(compiler)}
    if environ.get("CC"):
        return choice
    for cxx, cc in _C_COMPILERS:
        if cxx in compiler.name:
            sibling = compiler.with_name(compiler.name.replace(cxx, cc))
            return {**choice, "CC": str(sibling)} if sibling.exists() else choice
    return choice


def read_key(pin: SourcePin, *, environ: Mapping[str, str]) -> BuildKey:
    """Describe the build that this machine needs."""
    return BuildKey(
        version=pin.version,
        source_sha256=pin.sha256,
        python_tag=sys.implementation.cache_tag,
        platform=" ".join((sysconfig.get_platform(), *platform.libc_ver())).strip(),
        cpu_sha256=_cpu_sha256(),
        compiler=_compiler_version(environ),
        cmake_args=cmake_args(environ),
        compiler_flags=" ".join(environ.get(name, "") for name in ("CFLAGS", "CXXFLAGS")).strip(),
        header_sha256=hashlib.sha256(FORCED_HEADER.read_bytes()).hexdigest(),
    )


def _cpu_sha256() -> str:
    listing = Path("/proc/cpuinfo")
    features = cpu_features(listing.read_text("utf-8")) if listing.exists() else ""
    cpu = f"{platform.machine()} {features or platform.processor()}"
    return hashlib.sha256(cpu.encode()).hexdigest()


def _compiler_version(environ: Mapping[str, str]) -> str:
    try:
        compiler = find_compiler(environ)
    except CompilerMissingError:
        return ""
    command = [compiler, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the compiler that the user named or installed
    return f"{compiler.name}: {done.stdout.partition(chr(10))[0]}"
