"""Promises of `smallhold.models.gguf.header`: this file holds tests of reading whole headers."""

from __future__ import annotations

import os
import struct
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smallhold.exceptions import InvalidGGUFError
from smallhold.models.catalog.catalog_file import load_catalog
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header
from smallhold.models.store.store import ModelStore
from smallhold.settings import load_settings

if TYPE_CHECKING:
    from tests.models.conftest import GGUFMaker

MEMORY_LIMIT_BYTES = 64 << 20
TIME_LIMIT_S = 10.0
MODEL_BYTES = 33_824
"""Size of the little model, of which the last 256 bytes are data."""


def read_bounded(path: Path) -> GGUFHeader | InvalidGGUFError:
    """Read a header or get the clear error, within the limits of memory and time."""
    tracemalloc.start()
    started_s = time.process_time()
    try:
        return read_gguf_header(path)
    except InvalidGGUFError as error:
        return error
    finally:
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak_bytes < MEMORY_LIMIT_BYTES
        assert time.process_time() - started_s < TIME_LIMIT_S


def assert_sound(header: GGUFHeader) -> None:
    data_bytes = header.file_bytes - header.data_offset_bytes
    assert all(0 <= t.offset_bytes <= data_bytes - t.size_bytes for t in header.tensors)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gguf")


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_a_sound_file_tells_about_its_model(gguf: GGUFMaker, tmp_path: Path, version: int) -> None:
    header = read_gguf_header(write(tmp_path / "m.gguf", gguf.model(version=version)))
    assert header.version == version
    assert (header.architecture, header.name, header.file_type) == ("llama", "Tiny", "Q4_K_M")
    assert (header.context_length, header.embedding_length, header.block_count) == (2048, 64, 2)
    assert (header.head_count, header.head_count_kv, header.key_length) == (4, 2, 16)
    assert header.vocabulary_size == 2000
    assert header.chat_template == "{{ messages }}"
    assert header.metadata["general.languages"] == ("en", "de")
    assert (len(header.tensors), header.tensor_bytes, header.parameter_count) == (2, 256, 64)


def test_the_vocabulary_is_not_built_unless_asked_for(gguf: GGUFMaker, tmp_path: Path) -> None:
    path = write(tmp_path / "m.gguf", gguf.model())
    assert "tokenizer.ggml.tokens" not in read_gguf_header(path).metadata
    kept = read_gguf_header(path, keep_arrays={"tokenizer.ggml.tokens"})
    tokens = kept.metadata["tokenizer.ggml.tokens"]
    assert isinstance(tokens, tuple)
    assert tokens[1999] == "token1999"


def test_layers_of_different_width_count_with_their_largest(
    gguf: GGUFMaker, tmp_path: Path
) -> None:
    heads = [struct.pack("<I", value) for value in (2, 8, 4)]
    pairs = [
        gguf.string("general.architecture", "x"),
        gguf.array("x.attention.head_count_kv", 4, heads),
    ]
    header = read_gguf_header(write(tmp_path / "m.gguf", gguf.file(pairs=pairs)))
    assert header.head_count_kv == 8


def test_what_a_file_does_not_say_is_none(gguf: GGUFMaker, tmp_path: Path) -> None:
    header = read_gguf_header(write(tmp_path / "m.gguf", gguf.file()))
    assert header.architecture is None
    assert header.context_length is None
    assert header.key_length is None
    assert header.chat_template is None
    assert header.file_type is None


def test_a_value_of_the_wrong_type_counts_as_not_said(gguf: GGUFMaker, tmp_path: Path) -> None:
    pairs = [
        gguf.string("general.architecture", "x"),
        gguf.string("x.context_length", "many"),
        gguf.pair("x.block_count", 7, b"\1"),
        gguf.number("tokenizer.chat_template", 1),
    ]
    header = read_gguf_header(write(tmp_path / "m.gguf", gguf.file(pairs=pairs)))
    assert header.context_length is None
    assert header.block_count is None
    assert header.chat_template is None


def counts(tensors: int, pairs: int) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, pairs)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the magic number"),
        (b"GGU", "the magic number"),
        (b"<!DOCTYPE html>", "begins with"),
        (b"ggml" + bytes(40), "begins with"),
        (b"GGUF" + struct.pack("<I", 1) + bytes(40), "version 1"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(40), "big-endian"),
        (counts(2**63, 0), "the tensor count claims"),
        (counts(0, 2**63), "the metadata count claims"),
        (counts(2**64 - 1, 2**64 - 1), "the tensor count claims"),
        (counts(16_000, 0) + bytes(1000), "the tensor count claims"),
        (counts(0, 60_000) + bytes(1000), "the metadata count claims"),
    ],
)
def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InvalidGGUFError, match=words):
        read_gguf_header(write(tmp_path / "m.gguf", data))


@pytest.mark.parametrize("alignment", [0, 3, 33, 1 << 21])
def test_an_impossible_alignment_is_refused(
    gguf: GGUFMaker, tmp_path: Path, alignment: int
) -> None:
    pairs = [gguf.number("general.alignment", alignment)]
    with pytest.raises(InvalidGGUFError, match="alignment"):
        read_gguf_header(write(tmp_path / "m.gguf", gguf.file(pairs=pairs)))


def test_the_data_begins_at_the_next_multiple_of_the_alignment(
    gguf: GGUFMaker, tmp_path: Path
) -> None:
    data = gguf.file(
        pairs=[gguf.number("general.alignment", 64)],
        tensors=[gguf.tensor("w", (16,))],
        data=bytes(64),
        alignment=64,
    )
    header = read_gguf_header(write(tmp_path / "m.gguf", data))
    assert header.data_offset_bytes == len(data) - 64
    with pytest.raises(InvalidGGUFError, match="ends at byte 64 of the data"):
        read_gguf_header(write(tmp_path / "m.gguf", data[:-1]))


def test_a_missing_file_a_folder_and_a_pipe_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        with pytest.raises(InvalidGGUFError):
            read_gguf_header(path)


def test_a_vocabulary_of_a_million_empty_words_is_read_quickly_and_thinly(
    gguf: GGUFMaker, tmp_path: Path
) -> None:
    path = write(tmp_path / "m.gguf", gguf.file(pairs=[gguf.array("w", 8, [], count=1 << 20)]))
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size + (8 << 20))
    header = read_bounded(path)
    assert isinstance(header, GGUFHeader)
    assert header.array_lengths == {"w": 1 << 20}


def test_the_most_tensors_and_keys_stay_within_the_memory_limit(
    gguf: GGUFMaker, tmp_path: Path
) -> None:
    pairs = [gguf.number(f"k{number}", 1) for number in range(16_384)]
    tensors = [gguf.tensor(f"t{n}", (8,), offset=32 * n) for n in range(16_384)]
    path = write(tmp_path / "m.gguf", gguf.file(pairs=pairs, tensors=tensors, data=bytes(1 << 19)))
    header = read_bounded(path)
    assert isinstance(header, GGUFHeader)
    assert len(header.tensors) == 16_384


def test_a_header_that_never_ends_is_refused(gguf: GGUFMaker, tmp_path: Path) -> None:
    path = write(tmp_path / "m.gguf", gguf.file(pairs=[gguf.array("w", 0, [], count=1 << 33)]))
    with path.open("rb+") as file:
        file.truncate(1 << 34)
    assert isinstance(read_bounded(path), InvalidGGUFError)


@given(length=st.integers(0, MODEL_BYTES - 1))
def test_a_file_cut_anywhere_is_refused(gguf: GGUFMaker, scratch: Path, length: int) -> None:
    assert len(gguf.model()) == MODEL_BYTES
    path = write(scratch / "cut.gguf", gguf.model()[:length])
    assert isinstance(read_bounded(path), InvalidGGUFError)


EXTREMES = [0, 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 64, 2**64 - 1]


@given(
    changes=st.lists(
        st.tuples(
            st.integers(0, MODEL_BYTES - 1), st.sampled_from(EXTREMES) | st.integers(0, 2**64 - 1)
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=300)
def test_any_numbers_anywhere_give_a_sound_header_or_a_clear_error(
    gguf: GGUFMaker, scratch: Path, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(gguf.model())
    for position, value in changes:
        # Half of the changes hit the fields around the vocabulary rather than its words.
        place = position % 700 if position % 2 else position
        data[place : place + 8] = struct.pack("<Q", value)
    header = read_bounded(write(scratch / "changed.gguf", bytes(data)))
    if isinstance(header, GGUFHeader):
        assert_sound(header)


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_any_bytes_after_the_magic_number_give_a_header_or_a_clear_error(
    scratch: Path, data: bytes
) -> None:
    header = read_bounded(write(scratch / "any.gguf", b"GGUF\3\0\0\0" + data))
    if isinstance(header, GGUFHeader):
        assert_sound(header)


@pytest.fixture(scope="session")
def real_model() -> Path:
    path = ModelStore(load_settings().model_store).find(load_catalog().resolve("smollm2-135m"))
    if path is None:
        pytest.skip("smollm2-135m is not in the store; run `smallhold pull smollm2-135m`")
    return path


def test_a_real_model_agrees_with_its_catalog_entry(real_model: Path) -> None:
    entry = load_catalog().resolve("smollm2-135m")
    header = read_gguf_header(real_model)
    assert header.parameter_count == entry.parameter_count
    assert header.context_length == entry.context_tokens
    assert header.file_type == entry.quantization
    assert header.file_bytes == entry.size_bytes


@given(st.lists(st.tuples(st.integers(0, 1_785_000), st.integers(0, 255)), min_size=1, max_size=64))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_a_real_header_with_changed_bytes_gives_a_sound_header_or_a_clear_error(
    real_model: Path, scratch: Path, changes: list[tuple[int, int]]
) -> None:
    with real_model.open("rb") as file:
        data = bytearray(file.read(1_800_000))
    for position, value in changes:
        data[position % (2000 if position % 3 else len(data))] = value
    path = write(scratch / "real.gguf", bytes(data))
    os.truncate(path, real_model.stat().st_size)
    header = read_bounded(path)
    if isinstance(header, GGUFHeader):
        assert_sound(header)
