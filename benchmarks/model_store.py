"""What the model store costs: this file holds the benchmark of adopting, hashing and carrying.

Run it on a quiet machine: `python benchmarks/model_store.py [ALIAS]`. It works on hard links to an
installed model in a folder of its own, which it removes again.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from smallhold.models import CatalogEntry, ModelStore, load_catalog
from smallhold.models.archives import ImportTarget, export_models, import_models, plan_export
from smallhold.models.elsewhere import ForeignPlaces, adopt_in_place, every_file
from smallhold.models.store.file_digest import hash_file
from smallhold.settings import load_settings

DEFAULT_MODEL: Final = "qwen2.5-coder-0.5b"
ROUNDS: Final = 5
FOREIGN_MODELS: Final = 200
"""Models in the Ollama store; more than anybody has."""
_MEDIA_TYPE: Final = "application/vnd.ollama.image.model"


def median_s(act: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """How long something takes, as the median of some rounds, in seconds."""
    times_s: list[float] = []
    for _ in range(rounds):
        started_s = time.perf_counter()
        act()
        times_s.append(time.perf_counter() - started_s)
    return statistics.median(times_s)


def make_ollama_store(root: Path, *, model: Path, sha256: str) -> Path:
    """Lay a store out as Ollama does, with one real model among many."""
    blob = root / "blobs" / f"sha256-{sha256}"
    blob.parent.mkdir(parents=True)
    blob.hardlink_to(model)
    for number in range(FOREIGN_MODELS):
        digest = sha256 if number == 0 else f"{number:064x}"
        layer = {
            "mediaType": _MEDIA_TYPE,
            "digest": f"sha256:{digest}",
            "size": model.stat().st_size if number == 0 else 1,
        }
        if number:
            (root / "blobs" / f"sha256-{digest}").write_bytes(b"x")
        path = root / "manifests" / "registry.ollama.ai" / "library" / f"model{number}" / "latest"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"layers": [layer]}))
    return root


def measure_adoption(entry: CatalogEntry, *, model: Path, folder: Path) -> list[str]:
    """Adopt a model from an Ollama store, and hash it alone for comparison."""
    root = make_ollama_store(folder / "ollama", model=model, sha256=str(entry.sha256))
    places = ForeignPlaces(ollama=(root,))
    size_mb = model.stat().st_size / 1e6
    hash_s = median_s(lambda: hash_file(model))
    overheads_s: list[float] = []
    for number in range(ROUNDS):
        store = ModelStore(folder / f"adopted{number}")
        started_s = time.perf_counter()
        adopt_in_place(entry, store=store, places=places)
        overheads_s.append(time.perf_counter() - started_s)
    adopt_s = statistics.median(overheads_s)
    list_s = median_s(lambda: every_file(places=places))
    return [
        f"hashing: {hash_s:.2f} s for {size_mb:,.0f} MB, {size_mb / hash_s:,.0f} MB/s",
        f"adopting: {adopt_s:.2f} s, of which {1000 * (adopt_s - hash_s):.0f} ms are not hashing",
        f"listing {FOREIGN_MODELS} models of Ollama: {1000 * list_s:.0f} ms",
    ]


def measure_use(entry: CatalogEntry, *, model: Path, folder: Path) -> list[str]:
    """Find, touch and lease a model as a runtime does before it loads it."""
    store = ModelStore(folder / "used")
    blob = store.blob_path(str(entry.sha256))
    blob.parent.mkdir(parents=True)
    blob.hardlink_to(model)
    store.adopt(entry)

    def lease() -> None:
        with store.in_use(blob):
            pass

    find_s = median_s(lambda: store.find(entry), rounds=200)
    use_s = median_s(lease, rounds=200)
    trim_s = median_s(lambda: store.plan_trim(limit_bytes=0), rounds=50)
    return [
        (
            f"finding: {1e6 * find_s:.0f} us; holding in use: {1e6 * use_s:.0f} us; "
            f"planning a trim: {1e6 * trim_s:.0f} us"
        )
    ]


def measure_carrying(entry: CatalogEntry, *, folder: Path) -> list[str]:
    """Export a model to a folder and import it from there; both hash on the way."""
    store, catalog = ModelStore(folder / "used"), load_catalog()
    plan = plan_export([entry.reference], store=store, catalog=catalog, path=folder)
    size_mb = plan.archive_bytes / 1e6
    export_s = median_s(lambda: export_models(plan, replaces=True), rounds=1)
    target = ImportTarget(
        store=ModelStore(folder / "imported"), known=catalog, add_model=lambda model: model
    )
    import_s = median_s(lambda: import_models(plan.path, target=target), rounds=1)
    again_s = median_s(lambda: import_models(plan.path, target=target))
    return [
        f"exporting: {size_mb / export_s:,.0f} MB/s; importing: {size_mb / import_s:,.0f} MB/s",
        f"importing what is there: {1000 * again_s:.0f} ms",
    ]


def main() -> None:
    """Print one line for each figure."""
    alias = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_MODEL
    entry = load_catalog().resolve(alias)
    installed = ModelStore(load_settings().model_store)
    model = installed.require(entry)
    # Beside the store, since hard links stay on one disk.
    with TemporaryDirectory(dir=installed.root.parent) as name:
        folder = Path(name)
        lines = measure_adoption(entry, model=model, folder=folder)
        lines += measure_use(entry, model=model, folder=folder)
        lines += measure_carrying(entry, folder=folder)
    sys.stdout.write("\n".join([entry.reference, *lines, ""]))


if __name__ == "__main__":
    main()
