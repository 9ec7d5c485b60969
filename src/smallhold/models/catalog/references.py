"""What a user may write to name a model's file: this file holds the parser of references.

Forms::

    qwen2.5-coder-0.5b                   an alias of the catalog
    qwen2.5-coder-0.5b:q8_0              one quantization of it
    hf:OWNER/REPO/FILE[@REVISION]        a file of the Hugging Face hub
    ollama:[HOST/][USER/]NAME[:TAG]      a model of an Ollama registry
    https://HOST/PATH[#sha256=DIGEST]    a file behind an address
    /models/mine.gguf                    a file on this machine
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from smallhold.exceptions import ConfigError
from smallhold.models.catalog.source_specs import (
    OLLAMA_REGISTRY,
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    SourceSpec,
)

REFERENCE_MAX_CHARS: Final = 2048

_ALIAS: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_QUANTIZATION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,31}")
_REPOSITORY_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_FILE_STEP: Final = re.compile(r"(?!\.{1,2}$)[^\x00-\x1f\x7f/\\?#%]{1,255}")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
_OLLAMA_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")
_OLLAMA_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])")
_SHA256_FRAGMENT: Final = re.compile(r"sha256=([0-9a-f]{64})")
_NOT_TEXT: Final = re.compile(r"[\x00-\x20\x7f-\x9f\ud800-\udfff]")
_SPLIT_FILE: Final = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
_QUANTIZATION_AT_END: Final = re.compile(
    r"(?:^|[.\-_])((?:UD-)?(?:I?Q[1-8](?:_[A-Z0-9]+){0,2}|TQ[12]_0|MXFP4|BF16|F16|F32|FP16))$",
    re.IGNORECASE,
)
_NOT_OF_AN_ALIAS: Final = re.compile(r"[^a-z0-9._-]+")
_MANY_SLASHES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogReference:
    """A model of the catalog, and perhaps one quantization of it."""

    alias: str
    quantization: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference:
    """One file at a place that the user named, known to no catalog yet."""

    source: SourceSpec
    alias: str
    """The name that it gets unless the user chooses one, made from the file's own."""
    quantization: str | None = None
    """What the file's name says of it; its header knows better."""
    sha256: str | None = None
    """What the user says that its digest is."""


def parse_reference(text: str) -> CatalogReference | FileReference:
    """Read a reference; see the forms above. Nothing is looked up, opened or asked for.

    Raises:
        ConfigError: It is no reference; `field` says which part of it is wrong.
    """
    if not text or len(text) > REFERENCE_MAX_CHARS:
        _refuse("reference", text[:80], f"write 1 to {REFERENCE_MAX_CHARS:,} characters")
    scheme, colon, rest = text.partition(":")
    match scheme.lower() if colon else "":
        case "hf":
            return _hugging_face(rest)
        case "ollama":
            return _ollama(rest)
        case "https" | "http":
            return _address(text)
        case _:
            return _file(text) if text.startswith("/") else _catalog(text)


def suggested_alias(file_name: str) -> tuple[str, str | None]:
    """Split a file's name into an alias and the quantization that it ends with, if it does.

    `Qwen3-0.6B-Q8_0.gguf` gives `qwen3-0.6b` and `Q8_0`.
    """
    stem = re.sub(r"\.gguf$", "", file_name, flags=re.IGNORECASE)
    match = _QUANTIZATION_AT_END.search(stem)
    quantization = None if match is None else match[1].upper().replace("UD-", "")
    name = stem if match is None else stem[: match.start()]
    alias = _NOT_OF_AN_ALIAS.sub("-", name.lower()).strip("._-")[:64].rstrip("._-")
    return alias or "model", "F16" if quantization == "FP16" else quantization


def is_loopback(host: str | None) -> bool:
    """Tell whether a host of a URL is this machine itself."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def check_alias(text: str, *, field: str) -> str:
    """Hand back a name that can be an alias.

    Raises:
        ConfigError: It cannot.
    """
    if not _ALIAS.fullmatch(text):
        remedy = "begin with a lower-case letter or digit, go on with up to 63 of those and '._-'"
        _refuse(field, text, remedy)
    return text


def _catalog(text: str) -> CatalogReference:
    alias, colon, quantization = text.partition(":")
    if not _ALIAS.fullmatch(alias) or "/" in quantization:
        _refuse(
            "reference, alias",
            text,
            "write an alias of `smallhold models list`, hf:OWNER/REPO/FILE, ollama:NAME, "
            "https://... or an absolute path",
        )
    if not colon:
        return CatalogReference(alias=alias)
    if not _QUANTIZATION.fullmatch(quantization):
        _refuse("reference, quantization", quantization, "write one such as alias:q4_k_m")
    return CatalogReference(alias=alias, quantization=quantization)


def _hugging_face(rest: str) -> FileReference:
    path, at, revision = rest.rpartition("@") if "@" in rest else (rest, "", "main")
    if at and (not _REVISION.fullmatch(revision) or _climbs(revision)):
        _refuse("reference, revision", revision, "write a commit, a branch or a tag")
    owner, _, inner = path.partition("/")
    repository, _, file = inner.partition("/")
    for part in (owner, repository):
        if not _REPOSITORY_PART.fullmatch(part):
            _refuse("reference, repository", part, "write hf:OWNER/REPO/FILE")
    if not all(_FILE_STEP.fullmatch(step) for step in file.split("/")):
        _refuse("reference, file", file, "write the file's path inside the repository")
    return _named_after(
        PurePosixPath(file).name,
        HuggingFaceSpec(repo=f"{owner}/{repository}", file=file, revision=revision),
    )


def _ollama(rest: str) -> FileReference:
    host, name = "", rest
    if rest.count("/") >= _MANY_SLASHES:
        host, _, name = rest.partition("/")
    model, colon, tag = name.partition(":")
    if not all(_OLLAMA_NAME.fullmatch(part) for part in model.split("/")) or model.count("/") > 1:
        _refuse("reference, name", model, "write ollama:NAME or ollama:USER/NAME")
    if colon and not _OLLAMA_TAG.fullmatch(tag):
        _refuse("reference, tag", tag, "write a tag such as latest or 1b-instruct-q4_K_M")
    spec = OllamaSpec(model=model, tag=tag or "latest", registry=_registry(host))
    last = model.rpartition("/")[2]
    alias, quantization = suggested_alias(f"{last}-{tag}" if tag not in {"", "latest"} else last)
    return FileReference(source=spec, alias=alias, quantization=quantization)


def _registry(host: str) -> str:
    if not host:
        return OLLAMA_REGISTRY
    parts = _split(f"//{host}", field="reference, registry")
    if parts.hostname is None or not _HOST.fullmatch(host.removesuffix(f":{parts.port}")):
        _refuse("reference, registry", host, "write a host such as registry.example.org")
    return f"{'http' if is_loopback(parts.hostname) else 'https'}://{host}"


def _address(text: str) -> FileReference:
    field = "reference, URL"
    if _NOT_TEXT.search(text):
        _refuse(field, text, "write it without spaces and control characters")
    parts = _split(text, field=field)
    if not parts.hostname:
        _refuse(field, text, "write https://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        _refuse(field, f"{parts.scheme}://...@{parts.hostname}", "leave name and password out")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        _refuse(field, text, "use https; plain http is for 127.0.0.1 alone")
    digest = _SHA256_FRAGMENT.fullmatch(parts.fragment)
    if parts.fragment and digest is None:
        _refuse("reference, sha256", parts.fragment, "write #sha256= and 64 hexadecimal digits")
    name = unquote(PurePosixPath(parts.path).name)
    if not name:
        _refuse(field, text, "name a file, not a folder")
    spec = HttpsSpec(url=text.partition("#")[0])
    return _named_after(name, spec, sha256=digest[1] if digest else None)


def _file(text: str) -> FileReference:
    if _NOT_TEXT.search(text.replace(" ", "")) or text.endswith("/"):
        _refuse("reference, path", text, "write the absolute path of a file")
    return _named_after(PurePosixPath(text).name, FileSpec(path=text))


def _named_after(name: str, source: SourceSpec, *, sha256: str | None = None) -> FileReference:
    if _SPLIT_FILE.search(name):
        remedy = "it is one piece of several: join them with llama.cpp's gguf-split first"
        _refuse("reference, file", name, remedy)
    alias, quantization = suggested_alias(name)
    return FileReference(source=source, alias=alias, quantization=quantization, sha256=sha256)


def _climbs(path: str) -> bool:
    return any(step in {"", ".", ".."} for step in path.split("/"))


def _split(text: str, *, field: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(field=field, value=text, remedy=f"correct it ({error})") from error
    return parts


def _refuse(field: str, value: str, remedy: str) -> NoReturn:
    raise ConfigError(field=field, value=value, remedy=remedy)
