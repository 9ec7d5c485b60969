"""Work that native code does once: this file holds what its process and the parent say.

Writing a quantized file and reading a text's likelihood each take a process of their own, so that a
crash, a hang or a hostile file ends that and not the caller. Frames are those of
`smallhold.engine.wire`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import msgspec

from smallhold.engine.wire import encode_frame


class QuantizeJob(msgspec.Struct, tag="quantize", frozen=True, kw_only=True):
    """Write a file's weights in another type."""

    source: bytes
    """Path of the GGUF file."""
    target: bytes
    """Path of the file to write."""
    file_type: int
    """Value of `general.file_type`."""
    threads: int
    may_requantize: bool = False
    """Whether weights that have lost precision before may be read."""
    is_trial: bool = False
    """Only find out how large the file would be; nothing is written."""
    importance: bytes | None = None
    """Path of a GGUF file that says which weights matter."""


class LikelihoodJob(msgspec.Struct, tag="likelihood", frozen=True, kw_only=True):
    """Say how likely a model finds each token of a text."""

    source: bytes
    """Path of the GGUF file."""
    text: str
    threads: int
    batch_threads: int
    limit_tokens: int
    """Most tokens of the text that are read."""


Job: TypeAlias = QuantizeJob | LikelihoodJob


class JobProgress(msgspec.Struct, tag="progress", frozen=True):
    """How far a job is."""

    done: int
    total: int
    subject: str
    """Such as the tensor that is being written."""


class Quantized(msgspec.Struct, tag="quantized", frozen=True):
    """A file was written, or would be."""

    tensor_bytes: int
    """Of all its tensors, to within 0.01 MiB."""
    fallback_tensors: int
    """Tensors of a shape that the type does not allow, written in a larger one."""
    needs_importance: bool
    """The type is so small that the engine writes it only when told which weights matter."""


class Likelihoods(msgspec.Struct, tag="likelihoods", frozen=True):
    """How likely each token of a text was after those before it; the first has no such figure."""

    tokens: list[int]
    """All tokens."""
    log_probs: list[float]
    """Natural logarithms, for the second token and those after it."""
    likeliest: list[int]
    """What the model thought likeliest in their places."""


class JobFailed(msgspec.Struct, tag="failed", frozen=True):
    """The job could not be done."""

    problem: str
    is_memory: bool = False
    """Memory has run out."""


JobReply: TypeAlias = JobProgress | Quantized | Likelihoods | JobFailed

_job_decoder: msgspec.msgpack.Decoder[Job] = msgspec.msgpack.Decoder(Job)
_reply_decoder: msgspec.msgpack.Decoder[JobReply] = msgspec.msgpack.Decoder(JobReply)


def encode_job(message: Job | JobReply) -> bytes:
    """Turn a job or a reply into a frame."""
    return encode_frame(message)


def decode_job(body: bytes) -> Job:
    """Read a job. Raises `msgspec.DecodeError` on anything else."""
    return _job_decoder.decode(body)


def decode_job_reply(body: bytes) -> JobReply:
    """Read a reply. Raises `msgspec.DecodeError` on anything else."""
    return _reply_decoder.decode(body)


def path_bytes(path: Path) -> bytes:
    """Write a path as it is, since not every file's name is text."""
    return os.fsencode(path)


def path_of(data: bytes) -> Path:
    """Read a path that `path_bytes` wrote."""
    return Path(os.fsdecode(data))
