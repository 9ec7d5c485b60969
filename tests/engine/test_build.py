"""Tests of the engine's build: this file holds promises about compiling, caching and installing.

They build a tiny source distribution instead of llama.cpp: with the real pip, in a real virtual
environment, with the index switched off.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sysconfig
import tarfile
import venv
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from smallhold.engine import build

PACKAGE = "tiny-engine"
SOURCE = Path(build.__file__).parents[2]
METADATA = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n"
BACKEND = f"""
import os, pathlib, time, zipfile

METADATA = {METADATA!r}
INFO = "tiny_engine-1.0.dist-info"
WHEEL = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    pathlib.Path(metadata_directory, INFO).mkdir()
    pathlib.Path(metadata_directory, INFO, "METADATA").write_text(METADATA)
    return INFO

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("*** Configuring CMake...")
    print("[1/2] Building CXX object a.o")
    with open(os.environ["BUILDS"], "a") as builds:
        builds.write(os.environ["CMAKE_ARGS"] + "\\n")
    if os.environ.get("SLEEP"):
        time.sleep(60)
    if os.environ.get("BREAK"):
        raise SystemExit("a.cpp:1: error: expected ;")
    print("[2/2] Linking CXX shared library")
    name = "tiny_engine-1.0-py3-none-any.whl"
    files = {{"tiny_engine.py": "VALUE = 1", INFO + "/METADATA": METADATA, INFO + "/WHEEL": WHEEL}}
    record = "".join(file + ",,\\n" for file in [*files, INFO + "/RECORD"])
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as wheel:
        for file, text in {{**files, INFO + "/RECORD": record}}.items():
            wheel.writestr(file, text)
    return name
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
PROGRAM = """
import os, sys
from pathlib import Path
from smallhold.engine.build import build_engine
from smallhold.exceptions import SmallholdError

def show(step):
    print(step.phase.name, step.done)
    if step.phase.name == os.environ.get("STOP_AT"):
        sys.exit("stopped by the test")

try:
    outcome = build_engine(pin_file=Path(sys.argv[1]), on_progress=show)
    print(outcome.name)
except SmallholdError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def write_source_distribution(path: Path) -> str:
    """Write the tiny source distribution; returns its sha256."""
    files = {"pyproject.toml": PROJECT, "PKG-INFO": METADATA, "backend.py": BACKEND}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"tiny_engine-1.0/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A virtual environment, an offline index with one source distribution, an empty cache."""

    folder: Path

    @property
    def pin_file(self) -> Path:
        return self.folder / "native.txt"

    @property
    def cache(self) -> Path:
        return self.folder / "cache" / "engine"

    def environ(self, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return {
            **kept,
            "BUILDS": str(self.folder / "builds"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": str(self.folder / "index"),
            "PIP_NO_INDEX": "1",
            "PYTHONPATH": f"{SOURCE}{os.pathsep}{sysconfig.get_path('purelib')}",
            "SMALLHOLD_CACHE": str(self.folder / "cache"),
            **extra,
        }

    def build(self, environment: str = "venv", **extra: str) -> subprocess.CompletedProcess[str]:
        home = self.folder / environment
        if not home.exists():
            venv.create(home, symlinks=True)
        command = [home / "bin" / "python", "-c", PROGRAM, self.pin_file]
        return subprocess.run(
            command,
            env=self.environ(extra),
            capture_output=True,
            text=True,
            timeout=45,
            check=False,
        )

    def options_of_compilations(self) -> list[str]:
        builds = self.folder / "builds"
        return builds.read_text().splitlines() if builds.exists() else []

    def installed_value(self, environment: str = "venv") -> str:
        python = self.folder / environment / "bin" / "python"
        command = [python, "-c", "import tiny_engine; print(tiny_engine.VALUE)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    (tmp_path / "index").mkdir()
    sha256 = write_source_distribution(tmp_path / "index" / "tiny_engine-1.0.tar.gz")
    (tmp_path / "native.txt").write_text(f"{PACKAGE}==1.0 --hash=sha256:{sha256}\n")
    return Workshop(folder=tmp_path)


def test_the_first_build_compiles_and_installs_with_progress(workshop: Workshop) -> None:
    done = workshop.build()
    steps = ["DOWNLOAD 0", "CONFIGURE 0", "COMPILE 1", "COMPILE 2", "INSTALL 0", "BUILT"]
    assert done.stdout.splitlines() == steps, done.stderr
    assert workshop.installed_value() == "1"
    assert not list(workshop.cache.glob("partial-*"))


def test_an_installed_engine_is_left_alone_even_without_a_compiler(workshop: Workshop) -> None:
    workshop.build()
    assert workshop.build().stdout.splitlines() == ["ALREADY_INSTALLED"]
    assert workshop.build(PATH="").stdout.splitlines() == ["ALREADY_INSTALLED"]


def test_a_second_environment_gets_the_wheel_from_the_cache(workshop: Workshop) -> None:
    workshop.build()
    assert workshop.build("other").stdout.splitlines() == ["INSTALL 0", "FROM_CACHE"]
    assert workshop.installed_value("other") == "1"


def test_other_cmake_options_are_compiled_anew(workshop: Workshop) -> None:
    workshop.build()
    assert workshop.build(CMAKE_ARGS="-DGGML_CUDA=on").stdout.splitlines()[-1] == "BUILT"
    assert workshop.options_of_compilations()[-1].endswith(
        "-DLLAVA_BUILD=OFF -DGGML_NATIVE=ON -DGGML_CUDA=on"
    )


def test_an_engine_installed_by_other_means_is_replaced(workshop: Workshop) -> None:
    workshop.build()
    (record,) = workshop.folder.glob("venv/lib/*/site-packages/tiny_engine-1.0.dist-info/RECORD")
    record.write_text(record.read_text() + "stranger.py,,\n")
    assert workshop.build().stdout.splitlines()[-1] == "FROM_CACHE"


def test_a_source_with_another_hash_is_refused(workshop: Workshop) -> None:
    workshop.pin_file.write_text(f"{PACKAGE}==1.0 --hash=sha256:{'0' * 64}\n")
    done = workshop.build()
    assert "EngineBuildError: Building the engine failed at downloading" in done.stderr
    assert not workshop.options_of_compilations()


def test_a_failed_compilation_shows_the_end_of_its_log(workshop: Workshop) -> None:
    done = workshop.build(BREAK="1")
    assert "EngineBuildError: Building the engine failed at compiling" in done.stderr
    assert "a.cpp:1: error: expected ;" in done.stderr
    (log,) = workshop.cache.glob("*.log")
    assert str(log) in done.stderr
    assert "a.cpp:1: error: expected ;" in log.read_text()


def test_a_build_after_a_failed_one_succeeds(workshop: Workshop) -> None:
    workshop.build(BREAK="1")
    assert workshop.build().stdout.splitlines()[-1] == "BUILT"


def test_two_builds_at_once_compile_once(workshop: Workshop) -> None:
    with ThreadPoolExecutor() as pool:
        builds = list(pool.map(workshop.build, ["one", "two"]))
    assert sorted(done.stdout.split()[-1] for done in builds) == ["BUILT", "FROM_CACHE"]
    assert len(workshop.options_of_compilations()) == 1


def test_an_interrupted_build_ends_at_once_and_leaves_no_scraps(workshop: Workshop) -> None:
    done = workshop.build(SLEEP="1", STOP_AT="COMPILE")
    assert "stopped by the test" in done.stderr
    assert not list(workshop.cache.glob("partial-*"))


def test_a_machine_without_a_compiler_is_told_how_to_get_one(workshop: Workshop) -> None:
    (workshop.folder / "empty").mkdir()
    done = workshop.build(PATH=str(workshop.folder / "empty"))
    assert done.returncode == 1
    assert "CompilerMissingError: No C++ compiler was found" in done.stderr
    assert "apt-get install g++" in done.stderr
