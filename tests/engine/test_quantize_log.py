"""Promises of `smallhold.engine.quantize_log`: this file holds tests of the log's reading."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.quantize_log import QuantizeLog, TensorBegun

PIECES = (
    "[   1/   9]                    output.weight - [   64,   277,     1,     1], type =    f32, ",
    "converting to q8_0 .. ", "size =     0.07 MiB ->     0.02 MiB\n",
    "llama_model_quantize_impl: model size  =     0.42 MiB (32.00 BPW)\n",
    "llama_model_quantize_impl: quant size  =     0.11 MiB (8.57 BPW)\n",
    "llama_model_quantize_impl: WARNING: 3 of 9 tensor(s) required fallback quantization\n",
)  # fmt: skip


def read(*pieces: str) -> tuple[QuantizeLog, list[TensorBegun]]:
    log = QuantizeLog()
    begun = [step for piece in pieces if (step := log.read(piece)) is not None]
    return log, begun


def test_size_and_fallbacks_are_read() -> None:
    log, _ = read(*PIECES)
    assert log.tensor_bytes == round(0.11 * 2**20)
    assert log.fallback_tensors == 3
    assert not log.needs_importance


def test_each_tensor_is_announced_once() -> None:
    _, begun = read(*PIECES)
    assert begun == [TensorBegun(number=1, total=9, name="output.weight")]


def test_a_type_that_needs_to_be_told_what_matters_is_recognised() -> None:
    warning = "impl: WARNING: dry run completed successfully, but actually completing this "
    log, _ = read(f"{warning}quantization will require an imatrix!\n")
    assert log.needs_importance


@given(st.lists(st.integers(1, 40), max_size=40))
def test_it_does_not_matter_where_lines_are_cut(cuts: list[int]) -> None:
    text = "".join(PIECES[3:])
    pieces: list[str] = []
    for length in cuts:
        pieces.append(text[:length])
        text = text[length:]
    log, _ = read(*pieces, text)
    assert (log.tensor_bytes, log.fallback_tensors) == (round(0.11 * 2**20), 3)


@given(st.lists(st.text(max_size=60), max_size=10))
def test_any_text_can_be_read(pieces: list[str]) -> None:
    log, _ = read(*pieces)
    assert log.tensor_bytes >= 0
