"""Folders as Ollama and the Hugging Face library lay them out: this file holds their makers."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from smallhold.models.elsewhere import ForeignPlaces

COMMIT = "1" * 40
WEIGHTS = "application/vnd.ollama.image.model"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class HubCache:
    """A cache of the Hugging Face library."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def places(self) -> ForeignPlaces:
        return ForeignPlaces(hugging_face=(self.root,))

    def repository(self, repo: str) -> Path:
        return self.root / f"models--{repo.replace('/', '--')}"

    def add(
        self, content: bytes, *, repo: str = "owner/tiny-GGUF", file: str = "tiny.gguf"
    ) -> Path:
        """Add a file as the library does; returns where its bytes lie."""
        folder = self.repository(repo)
        blob = folder / "blobs" / digest(content)
        link = folder / "snapshots" / COMMIT / file
        reference = folder / "refs" / "main"
        for path in (blob, link, reference):
            path.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        link.symlink_to(os.path.relpath(blob, link.parent))
        reference.write_text(COMMIT)
        return blob


class OllamaFolder:
    """A store of Ollama."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def places(self) -> ForeignPlaces:
        return ForeignPlaces(ollama=(self.root,))

    def manifest_path(self, name: str, *, host: str = "registry.ollama.ai") -> Path:
        model, _, tag = name.partition(":")
        namespace, _, last = model.rpartition("/")
        return self.root / "manifests" / host / (namespace or "library") / last / (tag or "latest")

    def add(
        self, content: bytes, *, name: str = "tiny:1b", host: str = "registry.ollama.ai"
    ) -> Path:
        """Add a model as Ollama does; returns where its weights lie."""
        blob = self.root / "blobs" / f"sha256-{digest(content)}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        self.write_manifest(
            json.dumps({
                "schemaVersion": 2,
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": {"digest": "sha256:" + "c" * 64, "size": 10},
                "layers": [
                    {"mediaType": WEIGHTS, "digest": f"sha256:{digest(content)}",
                     "size": len(content)},
                    {"mediaType": "application/vnd.ollama.image.template",
                     "digest": "sha256:" + "d" * 64, "size": 20},
                ],
            }).encode(),
            name=name,
            host=host,
        )  # fmt: skip
        return blob

    def write_manifest(
        self, text: bytes, *, name: str = "tiny:1b", host: str = "registry.ollama.ai"
    ) -> Path:
        path = self.manifest_path(name, host=host)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        return path
