"""What a file is like to use: this file holds the measuring of size, speed and accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
from rich.console import Console

from smallhold.cli.bfcl import measure_bfcl
from smallhold.cli.speed import Speed
from smallhold.cli.speed_trial import try_speed
from smallhold.cli.terminal import foreign
from smallhold.engine.config import ModelConfig, automatic_settings
from smallhold.engine.footprint import estimate_config
from smallhold.evals.bfcl import BFCLReport, build_report, read_category
from smallhold.evals.quantization import QuantizedFile, TextQuality, read_passage
from smallhold.models.gguf.file_types import bits_per_weight
from smallhold.models.gguf.header import GGUFHeader
from smallhold.models.machine.hardware import Hardware
from smallhold.runtimes.dialects import DIALECTS, HERMES
from smallhold.runtimes.embedded import EmbeddedRuntime

_CATEGORY: Final = "multiple"
_CONTEXT_TOKENS: Final = 4096
"""BFCL's longest rows of this category have about 2,000 tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTrial:
    """How files are to be measured."""

    hardware: Hardware
    is_measured: bool
    """Whether to load them; their sizes and memory need no loading."""
    bfcl_data: Path | None = None
    bfcl_rows: int = 30
    dialect: str | None = None
    """In which they write tool calls; `None` is the usual one."""


def require_bfcl(data: Path) -> None:
    """Make sure that files could be scored, before minutes are spent on making one.

    Raises:
        ConfigError: there is no such folder or category.
        DatasetError: BFCL's file is malformed.
    """
    read_category(data, category=_CATEGORY)


def measure_file(
    path: Path, header: GGUFHeader, *, name: str, trial: FileTrial, console: Console
) -> QuantizedFile:
    """Find out what a file is like.

    Raises:
        EngineError: the engine is missing, or refuses the file.
        DatasetError: BFCL's file is malformed.
    """
    config = ModelConfig(path=path, name=name)
    known = QuantizedFile(
        name=name,
        quantization=header.file_type or "mixed types",
        size_bytes=header.file_bytes,
        bits_per_weight=bits_per_weight(header),
        memory_bytes=estimate_config(config, hardware=trial.hardware).resident_bytes,
    )
    if not trial.is_measured:
        return known
    short = replace(config, context_tokens=_CONTEXT_TOKENS)
    console.print(foreign(f"measuring {name}"))
    quality = _quality(short, trial)
    speed = anyio.run(_speed, short)
    return replace(
        known,
        quality=quality,
        prefill_tokens_per_s=speed.prefill_tokens_per_s,
        decode_tokens_per_s=speed.decode_tokens_per_s,
        bfcl=_bfcl(short, trial, console=console),
    )


def _quality(config: ModelConfig, trial: FileTrial) -> TextQuality | None:
    settled = automatic_settings(config, trial.hardware)
    threads = settled.threads or 1
    return read_passage(
        config.path, threads=threads, batch_threads=settled.batch_threads or threads
    )


async def _speed(config: ModelConfig) -> Speed:
    return await try_speed(EmbeddedRuntime(config), model=config.name)


def _bfcl(config: ModelConfig, trial: FileTrial, *, console: Console) -> BFCLReport | None:
    if trial.bfcl_data is None:
        return None
    rows = read_category(trial.bfcl_data, category=_CATEGORY)
    runtime = EmbeddedRuntime(config, dialect=DIALECTS.get(trial.dialect or "", HERMES))

    async def measure() -> BFCLReport:
        results = await measure_bfcl(
            rows, runtime=runtime, tool_choice="required", limit=trial.bfcl_rows, console=console
        )
        return build_report(results, category=_CATEGORY, model=config.name)

    return anyio.run(measure)
