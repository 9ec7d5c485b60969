"""Options that several commands share: this file holds their names and help texts."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import typer

SHOWN_DEFAULT_MODEL: Final = "qwen2.5-coder-0.5b"
"""What `--help` names as the default, without importing the agents, whose `DEFAULT_MODEL` it is."""

ModelOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="ALIAS|PATH",
        help="A model of `smallhold models list`, or the path of a .gguf file.",
        show_default=SHOWN_DEFAULT_MODEL,
    ),
]
ToolsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--tools",
        "-t",
        metavar="MODULE:OBJECT",
        help="A tool, a function or a list of them; the module may lie in the current folder.",
    ),
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Write JSON to stdout, for programs; all else to stderr.")
]
ToolChoiceWord: TypeAlias = Literal["auto", "required"]
HalfWord: TypeAlias = Literal["development", "held_out"]
