"""A store of Ollama: this file holds its `OllamaStore`.

Layout::

    manifests/<host>/<namespace>/<model>/<tag>   which layers a model consists of, as JSON
    blobs/sha256-<64 hex digits>                 the layers
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from smallhold.models.catalog.source_specs import OLLAMA_REGISTRY, OllamaSpec
from smallhold.models.elsewhere.foreign_file import ForeignFile, file_inside
from smallhold.models.elsewhere.ollama_manifest import (
    MANIFEST_MAX_BYTES,
    WeightsLayer,
    weights_layer,
)
from smallhold.models.store.layout import blob_name

LOOK_LIMIT: Final = 20_000
"""At most so many manifests are looked at."""

_STEP: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}")
_DEFAULT_HOST: Final = urlsplit(OLLAMA_REGISTRY).netloc
_DEFAULT_NAMESPACE: Final = "library"


class OllamaStore:
    """One store folder, which need not exist."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def with_digest(self, sha256: str) -> Iterator[ForeignFile]:
        """The layer with this digest."""
        layer = WeightsLayer(sha256=sha256, size_bytes=-1)
        found = self._file(layer, name=f"ollama:sha256-{sha256[:12]}")
        if found is not None:
            yield found

    def with_spec(self, spec: OllamaSpec) -> Iterator[ForeignFile]:
        """The weights of a model by its name and tag."""
        namespace, _, model = spec.model.rpartition("/")
        host = urlsplit(spec.registry).netloc
        steps = (host, namespace or _DEFAULT_NAMESPACE, model, spec.tag)
        if all(_STEP.fullmatch(step) for step in steps):
            found = self._weights(self._root.joinpath("manifests", *steps))
            if found is not None:
                yield found

    def every_file(self) -> Iterator[ForeignFile]:
        """The weights of every model, each file under the first of its names."""
        seen: set[Path] = set()
        manifests = islice((self._root / "manifests").glob("*/*/*/*"), LOOK_LIMIT)
        for manifest in sorted(manifests):
            found = self._weights(manifest)
            if found is not None and found.path not in seen:
                seen.add(found.path)
                yield found

    def _weights(self, manifest: Path) -> ForeignFile | None:
        path = file_inside(manifest, root=self._root)
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                layer = weights_layer(file.read(MANIFEST_MAX_BYTES + 1))
        except OSError:
            return None
        if layer is None:
            return None
        spec = _spec(manifest)
        return self._file(layer, name=spec.name, spec=spec)

    def _file(
        self, layer: WeightsLayer, *, name: str, spec: OllamaSpec | None = None
    ) -> ForeignFile | None:
        path = file_inside(self._root / "blobs" / blob_name(layer.sha256), root=self._root)
        if path is None:
            return None
        size_bytes = path.stat().st_size
        # A download under way has another name; a file of another size was cut by something else.
        if layer.size_bytes not in {-1, size_bytes}:
            return None
        return ForeignFile(
            name=name,
            path=path,
            size_bytes=size_bytes,
            claimed_sha256=layer.sha256,
            spec=spec,
        )


def _spec(manifest: Path) -> OllamaSpec:
    host, namespace, model, tag = manifest.parts[-4:]
    user = "" if namespace == _DEFAULT_NAMESPACE else f"{namespace}/"
    registry = OLLAMA_REGISTRY if host == _DEFAULT_HOST else f"https://{host}"
    return OllamaSpec(model=f"{user}{model}", tag=tag, registry=registry)
