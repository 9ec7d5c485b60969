"""A file before and after quantizing: this file holds the table of both for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.table import Column, Table

from smallhold.cli.terminal import printable
from smallhold.evals.quantization import QuantizedFile, agreement

_MEGABYTE: Final = 1e6


def comparison_table(before: QuantizedFile, after: QuantizedFile) -> Table:
    """Lay out two files beside each other, with the rows that were measured."""
    table = Table(
        "",
        Column(printable(before.name), justify="right"),
        Column(printable(after.name), justify="right"),
        title=f"{before.quantization} to {after.quantization}",
    )
    for title, show in _ROWS:
        shown = (show(before), show(after))
        if shown != (None, None):
            table.add_row(title, *(text or "-" for text in shown))
    if before.quality is not None and after.quality is not None:
        shared = agreement(before.quality, after.quality)
        table.add_row("same next token", "", "-" if shared is None else f"{shared:.1%}")
    return table


def _rate(value: float | None) -> str | None:
    return None if value is None else f"{value:,.1f}"


def _log_prob(file: QuantizedFile) -> str | None:
    return None if file.quality is None else f"{file.quality.mean_log_prob:.4f}"


def _perplexity(file: QuantizedFile) -> str | None:
    return None if file.quality is None else f"{file.quality.perplexity:,.2f}"


def _bfcl(file: QuantizedFile) -> str | None:
    return None if file.bfcl is None else f"{file.bfcl.accuracy:.1%} of {file.bfcl.n}"


_ROWS: Final[tuple[tuple[str, Callable[[QuantizedFile], str | None]], ...]] = (
    ("file, MB", lambda file: f"{file.size_bytes / _MEGABYTE:,.1f}"),
    ("bits for a weight", lambda file: f"{file.bits_per_weight:.2f}"),
    ("memory when loaded, MB", lambda file: f"{file.memory_bytes / _MEGABYTE:,.0f}"),
    ("reading, tokens/s", lambda file: _rate(file.prefill_tokens_per_s)),
    ("writing, tokens/s", lambda file: _rate(file.decode_tokens_per_s)),
    ("log-probability of a token", _log_prob),
    ("perplexity", _perplexity),
    ("BFCL multiple", _bfcl),
)
