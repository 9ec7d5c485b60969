"""From a wish for fewer bits to the file: this file holds the steps of `models quantize`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from smallhold.cli.quantize_measure import FileTrial, measure_file, require_bfcl
from smallhold.cli.quantizing import QuantizeOptions
from smallhold.cli.terminal import foreign, printable
from smallhold.engine.quantizing import (
    OnTensor,
    QuantizeOrder,
    QuantizePlan,
    plan_quantizing,
    quantize,
)
from smallhold.evals.quantization import QuantizedFile
from smallhold.exceptions import ConfigError
from smallhold.models.catalog.catalog import Catalog, CatalogModel
from smallhold.models.catalog.overlays import open_catalog
from smallhold.models.catalog.references import check_alias, suggested_alias
from smallhold.models.derived import (
    DerivedFile,
    Write,
    make_at_path,
    make_in_store,
    with_new_variant,
)
from smallhold.models.gguf.file_types import file_type_named
from smallhold.models.gguf.header import GGUFHeader
from smallhold.models.machine.hardware import Hardware, detect_hardware
from smallhold.models.store.store import ModelStore, open_store
from smallhold.settings import Settings, load_settings

_SUFFIX: Final = ".gguf"
_MEGABYTE: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to make others of."""

    path: Path
    name: str
    model: CatalogModel | None = None
    """Where the catalog knows it."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where files are kept, and who is told."""

    settings: Settings
    store: ModelStore
    catalog: Catalog
    console: Console


def run_quantize(
    request: QuantizeOptions, *, console: Console, hardware: Hardware | None = None
) -> tuple[DerivedFile, QuantizedFile, QuantizedFile]:
    """Write the file, and measure both if that was asked for.

    Returns:
        The new file, and what is known of the old one and of it.

    Raises:
        CallerError: the request cannot be met as it is.
        ModelError: a file is not sound or not here, or the store cannot take one more.
        EngineError: the engine is missing, or could not do it.
    """
    file_type = file_type_named(request.to)
    settings = load_settings()
    store, catalog = open_store(settings), open_catalog(settings)
    hardware = hardware or detect_hardware()
    _check(request)
    source = find_source(request.source, catalog=catalog, store=store)
    order = QuantizeOrder(
        source=source.path,
        name=source.name,
        file_type=file_type,
        threads=hardware.usable_cores,
        may_requantize=request.allow_requantize,
        importance=request.imatrix,
    )
    # The source must not be evicted to make room, by whichever process, while it is read.
    with store.in_use(source.path):
        plan = plan_quantizing(order)
        made = _make(request, source, order, plan, shelf=_Shelf(settings, store, catalog, console))
        compared = _compared(request, source, plan, made, hardware=hardware, console=console)
    return made, *compared


def find_source(text: str, *, catalog: Catalog, store: ModelStore) -> Source:
    """Find the file that is meant: by path, or of a model that is installed.

    Raises:
        UnknownModelError: the alias is not in the catalog.
        UnknownVariantError: the model has no such file.
        ModelNotInstalledError: the file is not in the store.
    """
    if "/" in text or text.lower().endswith(_SUFFIX):
        path = Path(text)
        return Source(path=path, name=path.name)
    entry = catalog.resolve(text)
    return Source(path=store.require(entry), name=entry.reference, model=catalog.model(entry.alias))


def _make(
    request: QuantizeOptions,
    source: Source,
    order: QuantizeOrder,
    plan: QuantizePlan,
    *,
    shelf: _Shelf,
) -> DerivedFile:
    write = _writer(order, console=shelf.console)
    if request.out is not None:
        _require_another(request.out, source=source.path)
        _announce(source, order, plan, console=shelf.console)
        return make_at_path(request.out, write, size_bytes=plan.size_bytes, overwrite=request.force)
    model = _model(request.alias, source, order, plan.source, catalog=shelf.catalog)
    _announce(source, order, plan, console=shelf.console)
    return make_in_store(
        shelf.settings, shelf.store, model, write,
        size_bytes=plan.size_bytes, source=f"quantized:{source.name}",
    )  # fmt: skip


def _check(request: QuantizeOptions) -> None:
    if request.out is not None and request.alias is not None:
        raise ConfigError(field="--as", value=request.alias, remedy="give --out or --as, not both")
    if request.data is not None and not request.measure:
        raise ConfigError(field="--data", value=str(request.data), remedy="add --measure")
    if request.data is not None:
        require_bfcl(request.data)
    if request.alias is not None:
        check_alias(request.alias, field="--as")


def _model(
    alias: str | None,
    source: Source,
    order: QuantizeOrder,
    header: GGUFHeader,
    *,
    catalog: Catalog,
) -> CatalogModel:
    own = suggested_alias(source.path.name)[0] if source.model is None else source.model.alias
    return with_new_variant(
        alias or own,
        order.file_type.name,
        catalog=catalog,
        origin=source.model,
        header=header,
    )


def _announce(
    source: Source, order: QuantizeOrder, plan: QuantizePlan, *, console: Console
) -> None:
    before_mb = plan.source.file_bytes / _MEGABYTE
    console.print(
        foreign(
            f"{source.name}: {plan.source.file_type or 'mixed types'}, {before_mb:,.0f} MB, "
            f"to {order.file_type.name}, {plan.size_bytes / _MEGABYTE:,.0f} MB"
        )
    )
    if plan.fallback_tensors:
        console.print(
            f"{plan.fallback_tensors} of {len(plan.source.tensors)} tensors have rows that "
            f"{order.file_type.name} cannot be cut into; they get a larger type."
        )


def _require_another(out: Path, *, source: Path) -> None:
    if out.exists() and out.samefile(source):
        remedy = "it is the source itself: write another file"
        raise ConfigError(field="--out", value=str(out), remedy=remedy)


def _writer(order: QuantizeOrder, *, console: Console) -> Write:
    def write(target: Path) -> GGUFHeader:
        with _progress(console) as on_tensor:
            return quantize(order, target, on_tensor=on_tensor)

    return write


@contextmanager
def _progress(console: Console) -> Generator[OnTensor]:
    columns = (
        TextColumn("quantizing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[tensor]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=None, tensor="")

        def show(done: int, total: int, tensor: str) -> None:
            progress.update(task, completed=done, total=total, tensor=printable(tensor))

        yield show


def _compared(
    request: QuantizeOptions,
    source: Source,
    plan: QuantizePlan,
    made: DerivedFile,
    *,
    hardware: Hardware,
    console: Console,
) -> tuple[QuantizedFile, QuantizedFile]:
    trial = FileTrial(
        hardware=hardware,
        is_measured=request.measure,
        bfcl_data=request.data,
        bfcl_rows=request.rows,
        dialect=None if source.model is None else source.model.call_dialect,
    )
    names = (source.name, made.reference or made.path.name)
    files = ((source.path, plan.source), (made.path, made.header))
    before, after = (
        measure_file(path, header, name=name, trial=trial, console=console)
        for name, (path, header) in zip(names, files, strict=True)
    )
    return before, after
