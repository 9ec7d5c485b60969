"""Which model to take: this file holds the command `models recommend`."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - the command line starts fast because commands import what they need

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.terminal import foreign, result_console, write_json

if TYPE_CHECKING:
    from smallhold.models import Hardware, Need

UseWord: TypeAlias = Literal["routing", "chat", "reasoning", "code"]

SHOWN_CHOICES: Final = 5
"""As many as a person compares; JSON has all."""


@shows_failures
def recommend_models(
    need: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NEED",
            help="An alias, or words such as: fast routing; the best that fits 4 GB.",
        ),
    ] = None,
    *,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory that the model may take, such as 4GB."),
    ] = None,
    use: Annotated[
        UseWord | None, typer.Option("--for", help="What the model is wanted for.")
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(metavar="TOKENS", min=1, help="Prompt and answer that it must take."),
    ] = None,
    gpu_memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="As if there were a GPU with this much free; 0: none."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which models suit this machine, or another one, and why."""
    from smallhold.cli.recommendation_views import choice_json, choice_line, choices_table
    from smallhold.models import detect_hardware, open_catalog, open_store, recommend
    from smallhold.settings import load_settings, parse_bytes

    settings = load_settings()
    catalog = open_catalog(settings)
    wanted = wanted_model(
        " ".join(need or ()), aliases=catalog.aliases, use=use, context_tokens=context
    )
    budget_bytes = None if memory is None else parse_bytes(memory, field="--memory")
    hardware = imagined(detect_hardware(), memory_bytes=budget_bytes, gpu_memory=gpu_memory)
    choices = recommend(
        wanted,
        catalog=catalog,
        hardware=hardware,
        budget_bytes=budget_bytes,
        is_installed=open_store(settings).holds,
    )
    if as_json:
        write_json([choice_json(choice) for choice in choices])
        return
    console = result_console()
    console.print(choices_table(choices[:SHOWN_CHOICES]))
    if len(choices) > SHOWN_CHOICES:
        console.print(f"{len(choices) - SHOWN_CHOICES} more with --json.")
    console.print(foreign(choice_line(choices[0])))
    if not choices[0].is_installed:
        console.print(foreign(f"Run: smallhold pull {choices[0].entry.reference}"))


def wanted_model(
    text: str, *, aliases: tuple[str, ...], use: UseWord | None, context_tokens: int | None
) -> "Need":
    """Put words and options together; options come first.

    Raises:
        UnknownNeedError: a word that means nothing, or two that contradict each other.
        ConfigError: `--for` beside the name of a model.
    """
    from dataclasses import replace

    from smallhold.exceptions import ConfigError
    from smallhold.models import Need, parse_need
    from smallhold.models.choice.need import USE_WORDS

    need = parse_need(text, aliases=aliases) if text else Need()
    if need.alias is not None and use is not None:
        raise ConfigError(
            field="--for", value=use, remedy=f"leave it out: {need.alias!r} names a model"
        )
    return replace(
        need,
        use_case=need.use_case if use is None else USE_WORDS[use],
        context_tokens=need.context_tokens if context_tokens is None else context_tokens,
        text=text or use or "",
    )


def imagined(
    hardware: "Hardware", *, memory_bytes: int | None, gpu_memory: str | None
) -> "Hardware":
    """Change what this machine has to what another one has.

    Args:
        hardware: This machine.
        memory_bytes: What the model may take there.
        gpu_memory: Free memory of a GPU as people write it; `0` is no GPU.

    Raises:
        ConfigError: the memory is no size.
    """
    from dataclasses import replace

    from smallhold.models import Accelerator, AcceleratorKind
    from smallhold.settings import parse_bytes

    if memory_bytes is not None:
        hardware = replace(
            hardware, total_memory_bytes=memory_bytes, available_memory_bytes=memory_bytes
        )
    if gpu_memory is None:
        return hardware
    if gpu_memory.strip() == "0":
        return replace(hardware, accelerators=(), engine_backends=frozenset())
    size_bytes = parse_bytes(gpu_memory, field="--gpu-memory")
    gpu = Accelerator(
        kind=AcceleratorKind.CUDA,
        name="a GPU",
        memory_total_bytes=size_bytes,
        memory_free_bytes=size_bytes,
    )
    return replace(hardware, accelerators=(gpu,), engine_backends=frozenset({AcceleratorKind.CUDA}))
