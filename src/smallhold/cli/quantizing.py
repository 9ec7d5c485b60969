"""Making a smaller file of a model: this file holds the command `models quantize`."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - the command line starts fast because commands import what they need

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.option_values import takes_options
from smallhold.cli.options import JsonOption
from smallhold.cli.terminal import result_console, side_console, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeOptions:
    """What the command is asked for."""

    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="An installed model, ALIAS or ALIAS:VARIANT, or a .gguf file."
        ),
    ]
    to: Annotated[str, typer.Option("--to", metavar="TYPE", help="Such as Q4_K_M or Q8_0.")]
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a file, in place of one in the store."),
    ] = None
    alias: Annotated[
        str | None,
        typer.Option("--as", metavar="ALIAS", help="What the model in the store is called."),
    ] = None
    allow_requantize: Annotated[
        bool,
        typer.Option(
            "--allow-requantize", help="Take a source that is quantized already, at a loss."
        ),
    ] = False
    imatrix: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Importance matrix of llama.cpp's tool, as GGUF."),
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Load both files and compare speed and accuracy."),
    ] = False
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With --measure: BFCL's files, to score both with."),
    ] = None
    rows: Annotated[
        int, typer.Option(min=1, help="With --data: rows of BFCL's category `multiple`.")
    ] = 30
    as_json: JsonOption = False


@shows_failures
@takes_options(QuantizeOptions)
def quantize_model(options: QuantizeOptions) -> None:
    """Write a model's weights with fewer bits, and say what that changes."""
    from smallhold.cli.quantize_run import run_quantize
    from smallhold.cli.quantize_views import comparison_table
    from smallhold.evals.quantization import to_document

    made, before, after = run_quantize(options, console=side_console())
    if options.as_json:
        place = {"path": str(made.path), "reference": made.reference}
        write_json(to_document(before, after) | place)
        return
    result_console().print(comparison_table(before, after))
    place = str(made.path) if made.reference is None else f"{made.reference} ({made.path})"
    side_console().print(f"Written: {place}", soft_wrap=True, markup=False)
