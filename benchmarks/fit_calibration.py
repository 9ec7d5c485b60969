"""A calibration for a model's decisions: this file holds the commands that gather and fit one.

Run from the repository's root. `python -m benchmarks.fit_calibration gather --data DIR --model
ALIAS --out FILE.jsonl` asks the model about messages of `DIR/bfcl` and `DIR/when2call`; started
again, it goes on where it was. `python -m benchmarks.fit_calibration fit FILE.jsonl --data DIR
--out NAME.json` fits the rules, writes the calibration and prints its figures. See
`docs/accuracy.md`.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import anyio
from benchmarks.calibration.figures import calibration_json, report
from benchmarks.calibration.fitting import fit_rules
from benchmarks.calibration.gathered import parse_record, read_gathered, sample_key
from benchmarks.calibration.gathering import gather
from benchmarks.calibration.samples import Sample, drawn, read_samples

from smallhold.agents import Config
from smallhold.agents.providers import runtime_for
from smallhold.evals.chat_records import read_rows
from smallhold.exceptions import ConfigError, ContextOverflowError, UnsupportedSchemaError
from smallhold.runtimes.protocol import Runtime


def done_keys(file: Path, *, model: str) -> set[str]:
    """Read which samples a file has, and cut off a last line that was not finished.

    Raises:
        ConfigError: the rows are of another model.
        DatasetError: a finished line is no row.
    """
    if not file.exists():
        return set()
    written = file.read_bytes()
    whole = written[: written.rfind(b"\n") + 1]
    if whole != written:
        file.write_bytes(whole)
    records = read_rows(file, parse=parse_record)
    if any(record.model != model for record in records):
        remedy = f"its rows are not of {model}; name another file"
        raise ConfigError(field="out", value=str(file), remedy=remedy)
    return {record.key for record in records}


async def gather_all(
    samples: Sequence[Sample], *, runtime: Runtime, model: str, out: Path, seconds: float
) -> int:
    """Append rows until all are there or the time is up; gives how many were appended.

    A sample that the runtime cannot serve, such as tools longer than its context, is left out.
    """
    done = done_keys(out, model=model)
    deadline_s = time.monotonic() + seconds
    count = 0
    with out.open("ab") as file:
        for sample in samples:
            if sample_key(sample) in done:
                continue
            if time.monotonic() >= deadline_s:
                break
            try:
                record = await gather(sample, runtime=runtime, model=model)
            except (ContextOverflowError, UnsupportedSchemaError) as error:
                sys.stderr.write(f"left out {sample_key(sample)}: {type(error).__name__}\n")
                continue
            file.write(record.model_dump_json().encode() + b"\n")
            file.flush()
            count += 1
            sys.stderr.write(f"{len(done) + count} of {len(samples)} {sample_key(sample)}\n")
    return count


async def run_gather(arguments: argparse.Namespace) -> None:
    """Do `gather`."""
    samples = drawn(read_samples(arguments.data), share=arguments.share)
    config = Config(name="calibration", model_alias=arguments.model)
    runtime = runtime_for(config, endpoint=None, api_key=None)
    try:
        await gather_all(
            samples,
            runtime=runtime,
            model=arguments.model,
            out=arguments.out,
            seconds=arguments.seconds,
        )
    finally:
        await runtime.aclose()


def run_fit(arguments: argparse.Namespace) -> None:
    """Do `fit`."""
    samples = {sample_key(sample): sample for sample in read_samples(arguments.data)}
    rows = read_gathered(arguments.file, samples=samples)
    fit = fit_rules(
        rows,
        call_shift=arguments.call_shift,
        suits_shift=arguments.suits_shift,
        ask_shift=arguments.ask_shift,
        further_shift=arguments.further_shift,
        same_shift=arguments.same_shift,
    )
    arguments.out.write_text(calibration_json(fit), "utf-8")
    sys.stdout.write(report(fit, suits_shift=arguments.suits_shift))


def command_line() -> argparse.ArgumentParser:
    """Describe both commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    gathering = commands.add_parser("gather", help="ask the model")
    gathering.add_argument("--data", type=Path, required=True, help="has bfcl/ and when2call/")
    gathering.add_argument("--model", required=True, help="alias of the catalog")
    gathering.add_argument("--out", type=Path, required=True, help="JSON Lines to append to")
    gathering.add_argument("--share", type=float, default=0.6, help="of each category, 0 to 1")
    gathering.add_argument("--seconds", type=float, default=math.inf, help="begin no row later")
    fitting = commands.add_parser("fit", help="fit the rules")
    fitting.add_argument("file", type=Path, help="what gather wrote")
    fitting.add_argument("--data", type=Path, required=True, help="the same as for gather")
    fitting.add_argument("--call-shift", type=float, default=0.0, help="nats; negative: call less")
    fitting.add_argument("--suits-shift", type=float, default=0.0, help="the same, once filled")
    fitting.add_argument("--ask-shift", type=float, default=0.0, help="nats; negative: ask less")
    fitting.add_argument("--further-shift", type=float, default=0.0, help="negative: stop sooner")
    fitting.add_argument("--same-shift", type=float, default=0.0, help="more with the same tool")
    fitting.add_argument("--out", type=Path, required=True, help="the calibration, JSON")
    return parser


def main(given: Sequence[str] | None = None) -> None:
    """Read the command line and do what it says."""
    arguments = command_line().parse_args(given)
    if arguments.command == "gather":
        anyio.run(run_gather, arguments)
    else:
        run_fit(arguments)


if __name__ == "__main__":
    main()
