"""What tests of models share: this file holds makers of small GGUF files and catalog entries."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.models.kernel_tree import KernelTree

from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.catalog.source_specs import FileSpec, SourceSpec
from smallhold.models.store.store import ModelStore

U32, I32, F32, BOOL, STRING, ARRAY, U64 = 4, 5, 6, 7, 8, 9, 10


class GGUFMaker:
    """Writes GGUF files field by field, sound or not."""

    def text(self, value: str | bytes) -> bytes:
        data = value.encode() if isinstance(value, str) else value
        return struct.pack("<Q", len(data)) + data

    def pair(self, key: str | bytes, kind: int, payload: bytes) -> bytes:
        return self.text(key) + struct.pack("<I", kind) + payload

    def string(self, key: str, value: str | bytes) -> bytes:
        return self.pair(key, STRING, self.text(value))

    def number(self, key: str, value: int) -> bytes:
        return self.pair(key, U32, struct.pack("<I", value))

    def array(
        self, key: str, kind: int, items: Sequence[bytes], *, count: int | None = None
    ) -> bytes:
        length = len(items) if count is None else count
        return self.pair(key, ARRAY, struct.pack("<IQ", kind, length) + b"".join(items))

    def tensor(
        self, name: str | bytes, shape: Sequence[int], *, kind: int = 0, offset: int = 0
    ) -> bytes:
        dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        return self.text(name) + dimensions + struct.pack("<IQ", kind, offset)

    def file(
        self,
        *,
        pairs: Sequence[bytes] = (),
        tensors: Sequence[bytes] = (),
        data: bytes = b"",
        version: int = 3,
        alignment: int = 32,
    ) -> bytes:
        counts = struct.pack("<IQQ", version, len(tensors), len(pairs))
        header = b"GGUF" + counts + b"".join(pairs) + b"".join(tensors)
        padding = b"\0" * (-len(header) % alignment)
        return header + padding + data if data else header

    def model(self, *, data_bytes: int = 256, version: int = 3) -> bytes:
        """A sound little model; the same call gives the same bytes."""
        words = [self.text(f"token{number}") for number in range(2000)]
        pairs = [
            self.string("general.architecture", "llama"),
            self.string("general.name", "Tiny"),
            self.number("general.file_type", 15),
            self.number("llama.context_length", 2048),
            self.number("llama.embedding_length", 64),
            self.number("llama.block_count", 2),
            self.number("llama.attention.head_count", 4),
            self.number("llama.attention.head_count_kv", 2),
            self.pair("llama.rope.freq_base", F32, struct.pack("<f", 10_000.0)),
            self.pair("tokenizer.ggml.add_bos_token", BOOL, b"\1"),
            self.array("tokenizer.ggml.tokens", STRING, words),
            self.array("general.languages", STRING, [self.text("en"), self.text("de")]),
            self.string("tokenizer.chat_template", "{{ messages }}"),
        ]
        half = data_bytes // 64 * 32
        tensors = [
            self.tensor("a.weight", (half // 4,)),
            self.tensor("b.weight", (half // 4, 1), offset=half),
        ]
        data = random.Random(data_bytes).randbytes(2 * half)  # noqa: S311 - only filling
        return self.file(pairs=pairs, tensors=tensors, data=data, version=version)


@pytest.fixture(scope="session")
def gguf() -> GGUFMaker:
    return GGUFMaker()


class EntryMaker:
    """Writes catalog entries for given bytes."""

    def __call__(
        self,
        content: bytes,
        *sources: SourceSpec,
        alias: str = "tiny",
        is_verified: bool = True,
        size_bytes: int | None = -1,
    ) -> CatalogEntry:
        return CatalogEntry(
            alias=alias,
            title="Tiny",
            family="tiny",
            parameter_count=1,
            licence="Apache-2.0",
            context_tokens=2048,
            quantization="F32",
            size_bytes=len(content) if size_bytes == -1 else size_bytes,
            sha256=hashlib.sha256(content).hexdigest() if is_verified else None,
            call_dialect="hermes",
            sources=sources or (FileSpec(path="/nowhere/tiny.gguf"),),
        )


@pytest.fixture(scope="session")
def make_entry() -> EntryMaker:
    return EntryMaker()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def kernel(tmp_path: Path) -> KernelTree:
    return KernelTree(tmp_path / "kernel")
