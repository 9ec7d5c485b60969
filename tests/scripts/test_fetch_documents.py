"""Tests of `scripts/fetch-documents`: this file holds promises about getting the documents."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from smallhold.evals.knowledge import read_questions

SCRIPT = Path(__file__).parents[2] / "scripts" / "fetch-documents"
BASH = shutil.which("bash") or ""
KNOWN = read_questions()

pytestmark = pytest.mark.skipif(
    (KNOWN.folder / "index.html").is_file(),
    reason=f"{KNOWN.package} is installed, so the script fetches nothing",
)


def run_script(tmp_path: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run the script with only these programs and a few of the system's on its path."""
    folder = tmp_path / "bin"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for program in ("rm", "mv", "mkdir", "mktemp", "cat"):
        (folder / program).symlink_to(shutil.which(program) or "")
    for name, text in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!{BASH}\n{text}\n")
        path.chmod(0o755)
    command = [BASH, SCRIPT, tmp_path / "cache"]
    environ = {"PATH": str(folder)}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


UNPACK = f'mkdir -p "$3{KNOWN.folder}"; cat "$2" > "$3{KNOWN.folder}/index.html"'


def test_a_machine_without_apt_is_told_what_is_missing(tmp_path: Path) -> None:
    done = run_script(tmp_path)
    assert done.returncode == 1
    assert "apt-get is missing" in done.stderr
    assert "--collection" in done.stderr


def test_the_version_that_the_answers_were_proved_on_is_asked_for_first(tmp_path: Path) -> None:
    download = 'echo "$1 $2" > some.deb'
    done = run_script(tmp_path, apt_get=download, dpkg_deb=UNPACK)
    folder = Path(done.stdout.strip())
    assert folder == tmp_path / "cache" / KNOWN.package / KNOWN.folder.relative_to("/")
    assert (folder / "index.html").read_text() == f"download {KNOWN.package}={KNOWN.version}\n"


def test_another_version_will_do_where_that_one_is_gone(tmp_path: Path) -> None:
    download = '[[ "$2" == *=* ]] && exit 100; echo "$2" > some.deb'
    done = run_script(tmp_path, apt_get=download, dpkg_deb=UNPACK)
    assert (Path(done.stdout.strip()) / "index.html").read_text() == f"{KNOWN.package}\n"


def test_documents_that_are_there_are_not_fetched_again(tmp_path: Path) -> None:
    first = run_script(tmp_path, apt_get="echo x > some.deb", dpkg_deb=UNPACK)
    second = run_script(tmp_path, apt_get="exit 1", dpkg_deb="exit 1")
    assert second.returncode == 0
    assert second.stdout == first.stdout


def test_a_failed_download_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run_script(tmp_path, apt_get="exit 100", dpkg_deb="exit 1")
    assert done.returncode != 0
    assert done.stdout == ""
    assert list((tmp_path / "cache").iterdir()) == []
