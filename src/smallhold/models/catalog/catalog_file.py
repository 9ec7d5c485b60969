"""From YAML files to a `Catalog`: this file holds the catalog's file format.

Pydantic checks the untrusted file here, once; everything behind `load_catalog` is frozen values.
Version 2 has models with variants, and a file of it may be laid over another catalog. Version 1 had
one file for each alias and is read as models with one variant.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar, cast

from pydantic import Field, ValidationError

from smallhold.exceptions import CatalogError
from smallhold.models.catalog.catalog import Catalog, CatalogModel, follow
from smallhold.models.catalog.records import Alias, ModelRecord, Reference
from smallhold.models.catalog.source_records import Record
from smallhold.models.catalog.yaml_reader import Place, YamlDocument, read_yaml

CATALOG_MAX_BYTES: Final = 1 << 20
"""A catalog file larger than this is refused unread; the largest of ours has about 15 kB."""

PACKAGED_FOLDER: Final = "families"
"""Folder of the packaged catalog, with one file for each family."""

_VARIANT_FIELDS: Final = frozenset({"quantization", "size_bytes", "sha256", "sources"})
"""What version 1 said of a model and version 2 says of each of its files."""


_IN_VARIANT: Final = len(("models", "alias", "variants", 0))

RecordT = TypeVar("RecordT", bound=Record)


class _FileRecord(Record):
    version: Literal[1, 2]
    models: dict[Alias, Any] = Field(default_factory=dict)
    aliases: dict[Alias, Reference] = Field(default_factory=dict)


def load_catalog(path: Path | None = None) -> Catalog:
    """Read a catalog file, by default the one that comes with the package (read once).

    What a user's settings add to it is not in there, see `open_catalog`.

    Raises:
        CatalogError: The file cannot be read or is malformed; the error names the place in it.
    """
    return _packaged_catalog() if path is None else parse_catalog(read_text(path), file=str(path))


def parse_catalog(text: bytes, *, file: str, below: Catalog | None = None) -> Catalog:
    """Turn a catalog file's bytes into values.

    Args:
        text: The file as UTF-8.
        file: Its name for errors.
        below: A catalog that the file is laid over: it may add to it, say of its models only what
            differs, and redirect its aliases.

    Raises:
        CatalogError: The bytes are no catalog; the error names line, entry and field.
    """
    if len(text) > CATALOG_MAX_BYTES:
        problem = f"it has {len(text):,} bytes, allowed are {CATALOG_MAX_BYTES:,}"
        raise CatalogError(file=file, place="whole file", problem=problem)
    reading = _Reading(file=file, document=read_yaml(text, file=file))
    return reading.catalog(below or Catalog(models={}))


def read_text(path: Path) -> bytes:
    """Read a catalog file, but for one that is far too large.

    Raises:
        CatalogError: It cannot be read.
    """
    try:
        # One byte more than allowed tells a large file from a fitting one without reading it all.
        with path.open("rb") as file:
            return file.read(CATALOG_MAX_BYTES + 1)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise CatalogError(file=str(path), place="whole file", problem=problem) from error


@cache
def _packaged_catalog() -> Catalog:
    folder = resources.files("smallhold.models.catalog").joinpath(PACKAGED_FOLDER)
    catalog = Catalog(models={})
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        name = f"smallhold/models/catalog/{PACKAGED_FOLDER}/{file.name}"
        catalog = parse_catalog(file.read_bytes(), file=name, below=catalog)
    return catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One file on its way to values."""

    file: str
    document: YamlDocument

    def catalog(self, below: Catalog) -> Catalog:
        record = self._checked(_FileRecord, self.document.value, place=())
        models = dict(below.models)
        for alias, raw in record.models.items():
            models[alias] = self._model(alias, raw, older=models.get(alias), record=record)
        redirects = {**below.redirects, **record.aliases}
        for alias in record.aliases:
            self._require_end(alias, models=models, redirects=redirects)
        return Catalog(models=MappingProxyType(models), redirects=MappingProxyType(redirects))

    def _model(
        self, alias: str, raw: Any, *, older: CatalogModel | None, record: _FileRecord
    ) -> CatalogModel:
        place: Place = ("models", alias)
        if record.version == 1:
            raw = _in_version_2(raw)
        checked = self._checked(ModelRecord, raw, place=place)
        missing = None if older else checked.missing()
        if missing is not None:
            raise self._error((*place, missing), "it is missing, and needed for a new model")
        model = checked.over(older, alias=alias)
        if isinstance(model, int):
            problem = "it is missing, and the model has none for all of its variants"
            raise self._error((*place, "variants", model, "sources"), problem)
        return model

    def _require_end(
        self, alias: str, *, models: Mapping[str, CatalogModel], redirects: Mapping[str, str]
    ) -> None:
        place = ("aliases", alias)
        steps = follow(alias, redirects=redirects)
        names = [name for name, _ in steps]
        target, quantization = steps[-1]
        # `name: name:q8_0` is no cycle: it says which file of a model is meant by default.
        ends = names.count(target) == 1 or (names[-2] == target and quantization)
        if not ends:
            raise self._error(place, f"it leads in a circle: {' → '.join(names)}")
        model = models.get(target)
        if model is None:
            raise self._error(place, f"it stands for {target!r}, which is in no catalog")
        known = [variant.quantization.lower() for variant in model.variants]
        if quantization and quantization.lower() not in known:
            problem = f"{target!r} has no variant {quantization!r}; it has {', '.join(known)}"
            raise self._error(place, problem)

    def _checked(self, record: type[RecordT], raw: Any, *, place: Place) -> RecordT:
        try:
            return record.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            problem = first["msg"].removeprefix("Value error, ")
            raise self._error((*place, *first["loc"]), problem) from error

    def _error(self, place: Place, problem: str) -> CatalogError:
        if len(place) > _IN_VARIANT and place[:3] not in self.document.spans:
            # Version 1 has no variants; what is wrong stands in the model itself.
            place = (*place[:2], *place[4:])
        line = self.document.line(place)
        where = _described(place)
        named = where if line is None else f"line {line}, {where}"
        return CatalogError(file=self.file, place=named, problem=problem)


def _in_version_2(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    fields = cast("dict[str, Any]", raw)
    if "variants" in fields:
        return fields
    variant = {name: value for name, value in fields.items() if name in _VARIANT_FIELDS}
    facts = {name: value for name, value in fields.items() if name not in _VARIANT_FIELDS}
    return facts | {"variants": [variant]}


def _described(place: Place) -> str:
    match place:
        case ("models" | "aliases" as part, alias, *rest):
            entry = f"{'entry' if part == 'models' else 'alias'} {alias!r}"
            if rest == ["[key]"]:
                return f"{entry}, its alias"
            return f"{entry}, field {'.'.join(str(step) for step in rest)}" if rest else entry
        case ():
            return "whole file"
        case _:
            return f"field {'.'.join(str(step) for step in place)}"
