"""Trees of files as a kernel shows them: this file holds the writer of such trees for tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass
class KernelTree:
    """A folder with `sys`, `proc` and `dev` in it."""

    root: Path

    @property
    def sys(self) -> Path:
        return self.root / "sys"

    @property
    def proc(self) -> Path:
        return self.root / "proc"

    @property
    def dev(self) -> Path:
        return self.root / "dev"

    @property
    def cgroup(self) -> Path:
        return self.sys / "fs/cgroup"

    def write(self, path: str, text: str | bytes = "") -> None:
        """Write one file, such as `sys/class/thermal/thermal_zone0/temp`."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def write_all(self, folder: str, **files: str) -> None:
        """Write files of one folder by their names."""
        for name, text in files.items():
            self.write(f"{folder}/{name}", f"{text}\n")
