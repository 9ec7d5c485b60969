"""What a model file says about itself: this file holds the GGUF header reader.

Pure Python and header only: no tensor data is read, and no native code need see a file before this
reader has found it sound. Source of the layout: the GGUF specification in ggml's `docs/gguf.md`,
and for what it leaves open, `gguf_init_from_file` of llama.cpp.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, TypeGuard

from smallhold.exceptions import InvalidGGUFError
from smallhold.models.gguf.cursor import U32, GGUFCursor
from smallhold.models.gguf.ggml_types import FILE_TYPES
from smallhold.models.gguf.metadata import (
    MAX_KEYS,
    MIN_PAIR_BYTES,
    MetadataReader,
    MetadataValue,
)
from smallhold.models.gguf.tensors import (
    MAX_TENSORS,
    MIN_TENSOR_BYTES,
    TensorInfo,
    check_layout,
    read_tensors,
)

_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_DEFAULT_ALIGNMENT: Final = 32
_MAX_ALIGNMENT: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GGUFHeader:
    """A sound header: every count was bounded and every tensor lies inside the file."""

    version: int
    metadata: Mapping[str, MetadataValue]
    """Scalars, and arrays of at most `MAX_KEPT_ITEMS` items or asked for by name."""
    array_lengths: Mapping[str, int]
    """Number of items of every array, kept or not."""
    omitted_keys: tuple[str, ...]
    """Keys whose values were too large to keep."""
    tensors: tuple[TensorInfo, ...]
    data_offset_bytes: int
    """Where the data section begins in the file."""
    file_bytes: int

    @property
    def tensor_bytes(self) -> int:
        """Bytes of all tensors together, without padding."""
        return sum(tensor.size_bytes for tensor in self.tensors)

    @property
    def parameter_count(self) -> int:
        """Number of weights in all tensors."""
        return sum(tensor.element_count for tensor in self.tensors)

    @property
    def architecture(self) -> str | None:
        """Family of the graph, such as `llama` or `qwen2`; prefix of the other keys."""
        return self._text("general.architecture")

    @property
    def name(self) -> str | None:
        """The model's own name for itself."""
        return self._text("general.name")

    @property
    def context_length(self) -> int | None:
        """Tokens of context that the model was trained for."""
        return self.number("context_length")

    @property
    def embedding_length(self) -> int | None:
        """Width of the residual stream."""
        return self.number("embedding_length")

    @property
    def block_count(self) -> int | None:
        """Number of layers."""
        return self.number("block_count")

    @property
    def head_count(self) -> int | None:
        """Attention heads; the largest layer's where layers differ."""
        return self.number("attention.head_count")

    @property
    def head_count_kv(self) -> int | None:
        """Key and value heads, the same as `head_count` where the file does not say."""
        return self.number("attention.head_count_kv") or self.head_count

    @property
    def key_length(self) -> int | None:
        """Width of one key vector: stated, or embedding length divided among the heads."""
        return self.number("attention.key_length") or self._head_width()

    @property
    def value_length(self) -> int | None:
        """Width of one value vector: stated, or embedding length divided among the heads."""
        return self.number("attention.value_length") or self._head_width()

    @property
    def vocabulary_size(self) -> int | None:
        """Number of tokens."""
        return self.array_lengths.get("tokenizer.ggml.tokens") or self.number("vocab_size")

    @property
    def chat_template(self) -> str | None:
        """Jinja text, untrusted."""
        return self._text("tokenizer.chat_template")

    @property
    def file_type(self) -> str | None:
        """Name of the quantization that most tensors have, such as `Q4_K_M`."""
        value = self.metadata.get("general.file_type")
        return FILE_TYPES.get(value) if isinstance(value, int) else None

    def _text(self, key: str) -> str | None:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None

    def number(self, suffix: str) -> int | None:
        """Read a count of the architecture's own, such as `feed_forward_length`.

        Where layers differ it is the largest one's; `None` where the file does not say.
        """
        value = self.metadata.get(f"{self.architecture}.{suffix}")
        if isinstance(value, tuple):
            value = max((item for item in value if _is_count(item)), default=None)
        return value if _is_count(value) else None

    def _head_width(self) -> int | None:
        if self.embedding_length is None or not self.head_count:
            return None
        return self.embedding_length // self.head_count


def read_gguf_header(path: Path, *, keep_arrays: Collection[str] = ()) -> GGUFHeader:
    """Read and check a GGUF file's header.

    Args:
        path: The file.
        keep_arrays: Keys of long arrays, such as `tokenizer.ggml.tokens`, to keep whole; the
            caller takes on the memory for them.

    Raises:
        InvalidGGUFError: The file cannot be read, is no GGUF file, or is not sound.
    """
    try:
        # Opening a named pipe would wait for a writer for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise InvalidGGUFError(path=str(path), problem="it is not a regular file")
        with path.open("rb", buffering=0) as file:
            return _read_header(file, path=path, keep_arrays=keep_arrays)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise InvalidGGUFError(path=str(path), problem=problem) from error


def _read_header(file: BinaryIO, *, path: Path, keep_arrays: Collection[str]) -> GGUFHeader:
    file_bytes = file.seek(0, 2)
    cursor = GGUFCursor(file, size_bytes=file_bytes, path=str(path))
    version = _read_version(cursor)
    tensor_count = cursor.count(
        what="the tensor count", each_at_least_bytes=MIN_TENSOR_BYTES, at_most=MAX_TENSORS
    )
    key_count = cursor.count(
        what="the metadata count", each_at_least_bytes=MIN_PAIR_BYTES, at_most=MAX_KEYS
    )
    reader = MetadataReader(cursor, keep_arrays=keep_arrays)
    for _ in range(key_count):
        reader.read_pair()
    alignment = _alignment(cursor, reader.metadata)
    tensors = read_tensors(cursor, tensor_count, alignment=alignment)
    data_offset = -(-cursor.position // alignment) * alignment
    check_layout(cursor, tensors, data_bytes=file_bytes - data_offset)
    return GGUFHeader(
        version=version,
        metadata=MappingProxyType(reader.metadata),
        array_lengths=MappingProxyType(reader.array_lengths),
        omitted_keys=tuple(reader.omitted_keys),
        tensors=tensors,
        data_offset_bytes=data_offset,
        file_bytes=file_bytes,
    )


def _read_version(cursor: GGUFCursor) -> int:
    magic = cursor.take(len(_MAGIC), what="the magic number")
    if magic != _MAGIC:
        cursor.fail(f"it begins with {magic!r} instead of {_MAGIC!r}")
    version = cursor.unsigned(U32, what="the version")
    if version not in _VERSIONS:
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        reason = "is big-endian" if swapped in _VERSIONS else f"has version {version}"
        cursor.fail(f"it {reason}; supported are little-endian files of version 2 and 3")
    return version


def _alignment(cursor: GGUFCursor, metadata: Mapping[str, MetadataValue]) -> int:
    value = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not _is_count(value) or value.bit_count() != 1 or value > _MAX_ALIGNMENT:
        cursor.fail(f"general.alignment is {value!r}, which is no power of two up to 1 MiB")
    return value


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
