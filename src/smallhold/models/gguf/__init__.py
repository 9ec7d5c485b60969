"""GGUF files: their headers, read and checked in plain Python."""

from smallhold.models.gguf.header import GGUFHeader, read_gguf_header
from smallhold.models.gguf.tensors import TensorInfo

__all__ = ["GGUFHeader", "TensorInfo", "read_gguf_header"]
