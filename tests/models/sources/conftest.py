"""What tests of sources share: this file holds their fixtures, among them a maker of wheels."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.models.sources.model_server import Hub, Servers

from smallhold.models.pulling.partial_file import PartialFile
from smallhold.models.sources.protocol import FetchJob


@pytest.fixture
def hub() -> Generator[Hub]:
    hub = Hub()
    with Servers(hub):
        yield hub


class Index:
    """A folder of wheels that pip takes for its whole index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(
        self, name: str, members: Mapping[str, bytes], *, version: str = "1.0", python: str = ">=3"
    ) -> Path:
        stem = f"{name.replace('-', '_')}-{version}"
        path = self.folder / f"{stem}-py3-none-any.whl"
        info = f"{stem}.dist-info"
        metadata = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {python}\n"
        )
        wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                archive.writestr(member, data)
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", wheel)
            archive.writestr(f"{info}/RECORD", "")
        return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    folder = tmp_path / "index"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return Index(folder)


@dataclass
class JobMaker:
    """Makes fetch jobs and keeps what was reported."""

    partial: PartialFile
    reports: list[tuple[int, int | None]] = field(default_factory=list[tuple[int, int | None]])
    room: Callable[[int], None] = lambda _: None

    def __call__(self, content: bytes, *, is_known: bool = True) -> FetchJob:
        return FetchJob(
            partial=self.partial,
            size_bytes=len(content) if is_known else None,
            sha256=hashlib.sha256(content).hexdigest() if is_known else None,
            report=lambda done, total: self.reports.append((done, total)),
            require_room=self.room,
        )

    @property
    def arrived(self) -> bytes:
        return self.partial.path.read_bytes()


@pytest.fixture
def make_job(tmp_path: Path) -> JobMaker:
    return JobMaker(PartialFile(tmp_path / "partial" / "x.part"))
