"""Compiling llama.cpp for this machine's CPU: this file holds the engine's cached build.

The source distribution is pinned by hash in `native.txt`, the one statement of the engine's
version. A wheel is compiled once for each `BuildKey`, kept in the user's cache folder and installed
from there into any number of environments.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final, TextIO

from filelock import FileLock, Timeout

from smallhold.engine.build_key import (
    BuildKey,
    SourcePin,
    cmake_args,
    compiler_choice,
    cxx_flags,
    find_compiler,
    parse_pin,
    read_key,
)
from smallhold.engine.build_progress import (
    BuildPhase,
    BuildProgress,
    OnProgress,
    TextProgress,
    parse_progress,
)
from smallhold.exceptions import EngineBuildError, SmallholdError
from smallhold.settings import load_settings

PIN_FILE: Final = Path(__file__).with_name("native.txt")
_LOG_TAIL_LINES: Final = 30
_INTERRUPTED: Final = 130
"""Exit status after SIGINT. Source: the convention of shells, 128 + the signal's number."""

logger = logging.getLogger(__name__)


class BuildOutcome(StrEnum):
    """How the engine came to be installed."""

    ALREADY_INSTALLED = "already installed"
    FROM_CACHE = "installed from the cache"
    BUILT = "compiled and installed"


def build_engine(
    *, pin_file: Path = PIN_FILE, on_progress: OnProgress = lambda _: None
) -> BuildOutcome:
    """Make sure that this Python environment has the engine, compiled for this CPU.

    Takes milliseconds when it is installed, seconds when the wheel is in the cache, and minutes
    when it must be compiled. `$CMAKE_ARGS` is added to our own options, for example
    `-DGGML_CUDA=on` for a GPU. Several processes may call this at once: one of them compiles.

    Args:
        pin_file: Requirements file of the one source distribution to build.
        on_progress: Called in this thread at each step.

    Raises:
        CompilerMissingError: The engine is not installed and there is no C++ compiler.
        ConfigError: `$SMALLHOLD_CACHE` is not an absolute folder.
        EngineBuildError: pip, CMake or the compiler failed; the message names the whole log.
    """
    pin = parse_pin(pin_file.read_text("utf-8"))
    key = read_key(pin, environ=os.environ)
    if _is_installed(pin, key=key):
        return BuildOutcome.ALREADY_INSTALLED
    find_compiler(os.environ)
    cache = load_settings().cache / "engine"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"{key.folder_name}.lock", on_progress=on_progress):
        if _is_installed(pin, key=key):
            return BuildOutcome.ALREADY_INSTALLED
        with (cache / f"{key.folder_name}.log").open("a", encoding="utf-8") as log:
            build = _Build(pin=pin, pin_file=pin_file, log=log, on_progress=on_progress)
            outcome = build.install(cache / key.folder_name)
        _write_stamp(pin, key=key)
    logger.info("engine.build.finished", extra={"outcome": outcome.value, "version": pin.version})
    return outcome


@contextmanager
def _locked(path: Path, *, on_progress: OnProgress) -> Generator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_progress(BuildProgress(phase=BuildPhase.WAIT))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    """One run of the build, by the holder of the lock."""

    pin: SourcePin
    pin_file: Path
    log: TextIO
    on_progress: OnProgress

    def install(self, folder: Path) -> BuildOutcome:
        """Install the wheel that is in `folder`, compiling it first where there is none."""
        outcome = BuildOutcome.FROM_CACHE
        if not folder.is_dir():
            outcome = BuildOutcome.BUILT
            self.compile(folder)
        self.on_progress(BuildProgress(phase=BuildPhase.INSTALL))
        options = ["--no-deps", "--no-index", "--force-reinstall"]
        self.pip(["install", *options, str(_only_file(folder))], step="installing the wheel")
        return outcome

    def compile(self, folder: Path) -> None:
        """Fetch the source and compile it; `folder` appears only when it is complete."""
        prefix = f"partial-{folder.name}-"
        for left_over in folder.parent.glob(f"{prefix}*"):
            shutil.rmtree(left_over, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            dir=folder.parent, prefix=prefix, ignore_cleanup_errors=True
        ) as scratch:
            source, wheels, temporary = (Path(scratch, name) for name in ("source", "wheel", "tmp"))
            temporary.mkdir()
            self.on_progress(BuildProgress(phase=BuildPhase.DOWNLOAD))
            options = ["--no-deps", "--no-binary", self.pin.name, "--require-hashes"]
            target = ["--requirement", str(self.pin_file), "--dest", str(source)]
            self.pip(["download", *options, *target], step="downloading", temporary=temporary)
            # Without --no-cache-dir pip keeps the wheel in a cache that is blind to the CPU.
            options = ["--verbose", "--no-deps", "--no-cache-dir", "--wheel-dir", str(wheels)]
            arguments = ["wheel", *options, str(_only_file(source))]
            self.pip(arguments, step="compiling", temporary=temporary)
            wheels.replace(folder)

    def pip(self, arguments: Sequence[str], *, step: str, temporary: Path | None = None) -> None:
        """Run pip with its output in the log and its progress reported.

        Args:
            arguments: What follows `pip`.
            step: What this is, for errors.
            temporary: Folder for all temporary files, so that nothing stays elsewhere even when
                pip is killed.

        Raises:
            EngineBuildError: pip failed.
        """
        command = [sys.executable, "-m", "pip", *arguments]
        self.log.write(f"$ {shlex.join(command)}\n")
        tail: deque[str] = deque(maxlen=_LOG_TAIL_LINES)
        environ = {} if temporary is None else {"TMPDIR": str(temporary)}
        code = _run(command, environ=environ, on_line=lambda line: self._keep(line, tail=tail))
        if code != 0:
            raise EngineBuildError(step=step, log=self.log.name, tail="".join(tail))

    def _keep(self, line: str, *, tail: deque[str]) -> None:
        self.log.write(line)
        tail.append(line)
        progress = parse_progress(line)
        if progress is not None:
            self.on_progress(progress)


def _run(
    command: Sequence[str], *, environ: Mapping[str, str], on_line: Callable[[str], None]
) -> int:
    """Run a command in a process group of its own; returns its exit status."""
    environ = {
        "CMAKE_BUILD_PARALLEL_LEVEL": str(_cpu_count()),
        **os.environ,
        **compiler_choice(os.environ),
        "CMAKE_ARGS": cmake_args(os.environ),
        "CXXFLAGS": cxx_flags(os.environ),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONUNBUFFERED": "1",
        **environ,
    }
    with subprocess.Popen(  # noqa: S603 - our own pip, with arguments made in this file
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                on_line(line)
        except BaseException:
            # Only the whole group: pip does not end the compilers that it has started.
            os.killpg(process.pid, signal.SIGTERM)
            raise
    return process.returncode


def _cpu_count() -> int:
    """CPUs that this process may use, which in a container can be fewer than the machine has."""
    allowed = os.sched_getaffinity(0) if sys.platform == "linux" else ()
    return len(allowed) or os.cpu_count() or 1


def _only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def _stamp_path() -> Path:
    return Path(sys.prefix, "share", "smallhold", "engine.json")


def _record_sha256(pin: SourcePin) -> str:
    """Hash of the installed package's list of file hashes, so that another install is noticed."""
    try:
        record = metadata.distribution(pin.name).read_text("RECORD")
    except metadata.PackageNotFoundError:
        return ""
    return hashlib.sha256((record or "").encode()).hexdigest()


def _is_installed(pin: SourcePin, *, key: BuildKey) -> bool:
    try:
        stamp = json.loads(_stamp_path().read_text("utf-8"))
        built = BuildKey(**stamp["key"])
        record_sha256 = stamp["record_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    # A machine that has lost its compiler keeps the engine that it has.
    wanted = key if key.compiler else replace(key, compiler=built.compiler)
    return built == wanted and record_sha256 == _record_sha256(pin)


def _write_stamp(pin: SourcePin, *, key: BuildKey) -> None:
    path = _stamp_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    stamp = {"key": asdict(key), "record_sha256": _record_sha256(pin)}
    path.write_text(json.dumps(stamp, indent=1), "utf-8")


def main() -> int:
    """Build with plain text progress; 0 when the engine is installed."""
    try:
        outcome = build_engine(on_progress=TextProgress(sys.stdout))
    except SmallholdError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("engine: interrupted; the next build starts anew\n")
        return _INTERRUPTED
    sys.stdout.write(f"engine: {outcome.value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
