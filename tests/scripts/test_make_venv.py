"""Tests of the clone's set-up: this file holds promises about finding a Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "make-venv"
BASH = shutil.which("bash") or ""


def run_script(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the script with only what is in `tmp_path / "bin"` on its path."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for program in ("rm", "env"):
        (folder / program).symlink_to(shutil.which(program) or "")
    command = [BASH, SCRIPT, tmp_path / "venv"]
    environ = {"PATH": str(folder), **environ}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{BASH}\n{text}\n")
    path.chmod(0o755)


def test_a_machine_without_python_is_told_what_to_install(tmp_path: Path) -> None:
    done = run_script(tmp_path)
    assert done.returncode == 1
    assert "No Python 3.11 or later was found" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_a_python_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    write_program(tmp_path / "bin" / "python3", "exit 1")
    write_program(tmp_path / "bin" / "python3.12", f'exec {sys.executable} "$@"')
    done = run_script(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "venv" / "pyvenv.cfg").exists()


def test_a_named_python_that_does_not_fit_is_not_replaced_by_another(tmp_path: Path) -> None:
    write_program(tmp_path / "bin" / "python3", f'exec {sys.executable} "$@"')
    done = run_script(tmp_path, PYTHON="python2.7")
    assert done.returncode == 1
    assert "at python2.7" in done.stderr


def test_a_python_without_ensurepip_is_told_the_missing_package(tmp_path: Path) -> None:
    lacking = f'[[ "$*" == *ensurepip* ]] && exit 1; exec {sys.executable} "$@"'
    write_program(tmp_path / "bin" / "python3", lacking)
    done = run_script(tmp_path)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_a_working_environment_is_kept(tmp_path: Path) -> None:
    write_program(tmp_path / "venv" / "bin" / "python", f'exec {sys.executable} "$@"')
    assert run_script(tmp_path).returncode == 0
    assert not (tmp_path / "venv" / "pyvenv.cfg").exists()
