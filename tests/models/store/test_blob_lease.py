"""Promises of `smallhold.models.store.blob_lease`:
this file holds tests with other real processes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smallhold.models.store.blob_lease import is_leased, shared_lease, sole_lease

HOLDER = """
import sys, time
from pathlib import Path
from smallhold.models.store.blob_lease import shared_lease
with shared_lease(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(b"weights")
    return path


@contextmanager
def holder(path: Path) -> Generator[subprocess.Popen[bytes]]:
    """Another process that uses the file."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_file_that_nobody_uses_is_not_leased(blob: Path) -> None:
    assert not is_leased(blob)
    with sole_lease(blob) as is_free:
        assert is_free


def test_a_file_in_use_is_leased_until_the_use_ends(blob: Path) -> None:
    with shared_lease(blob):
        assert is_leased(blob)
        with sole_lease(blob) as is_free:
            assert not is_free
    assert not is_leased(blob)


def test_many_may_use_a_file_at_once(blob: Path) -> None:
    with shared_lease(blob):
        with shared_lease(blob):
            pass
        assert is_leased(blob)


def test_a_killed_process_leaves_no_lease_behind(blob: Path) -> None:
    with holder(blob) as process:
        assert is_leased(blob)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_leased(blob)


def test_a_file_that_may_only_be_read_can_be_leased(blob: Path) -> None:
    blob.chmod(0o444)
    with shared_lease(blob):
        assert is_leased(blob)


def test_a_file_that_was_evicted_cannot_be_leased(blob: Path) -> None:
    blob.unlink()
    assert not is_leased(blob)
    with pytest.raises(FileNotFoundError), shared_lease(blob):
        pass


def test_no_lease_is_held_after_a_failure_inside(blob: Path) -> None:
    with pytest.raises(ZeroDivisionError), shared_lease(blob):
        _ = 1 / 0
    assert not is_leased(blob)
