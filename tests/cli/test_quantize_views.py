"""Promises of `smallhold.cli.quantize_views`: this file holds tests of the table of two files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smallhold.cli.quantize_views import comparison_table
from smallhold.evals.quantization import QuantizedFile, TextQuality

if TYPE_CHECKING:
    from tests.cli.conftest import Screen

BEFORE = QuantizedFile(
    name="mine:f16", quantization="F16", size_bytes=200_000_000, bits_per_weight=16.0,
    memory_bytes=300_000_000,
)  # fmt: skip
AFTER = replace(BEFORE, name="mine:q4_0", quantization="Q4_0", size_bytes=60_000_000)
QUALITY = TextQuality(tokens=2, mean_log_prob=-1.5, likeliest=(4, 5))


def test_sizes_stand_beside_each_other(screen: Screen) -> None:
    screen.console.print(comparison_table(BEFORE, AFTER))
    assert "F16 to Q4_0" in screen.text
    assert "200.0" in screen.text
    assert "60.0" in screen.text


def test_rows_that_were_not_measured_are_left_out(screen: Screen) -> None:
    screen.console.print(comparison_table(BEFORE, AFTER))
    assert "perplexity" not in screen.text
    assert "BFCL" not in screen.text


def test_what_only_one_file_has_is_a_dash_in_the_other(screen: Screen) -> None:
    screen.console.print(comparison_table(BEFORE, replace(AFTER, decode_tokens_per_s=9.0)))
    row = next(line for line in screen.text.splitlines() if "writing" in line)
    assert " - " in row
    assert "9.0" in row


def test_agreement_is_shown_once(screen: Screen) -> None:
    before, after = (replace(file, quality=QUALITY) for file in (BEFORE, AFTER))
    screen.console.print(comparison_table(before, after))
    assert screen.text.count("100.0%") == 1
    assert "-1.5000" in screen.text


def test_a_name_from_a_file_is_no_markup(screen: Screen) -> None:
    screen.console.print(comparison_table(replace(BEFORE, name="\x1b[2Jx"), AFTER))
    assert "\x1b[2J" not in screen.text
