"""What is here and what is missing: this file holds the diagnosis, made from facts alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smallhold.cli.extras import install_command
from smallhold.cli.speed import Speed
from smallhold.messages import JsonObject, JsonValue
from smallhold.models import Hardware


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that keeps the default model from running."""

    what: str
    command: str | None
    """Mends it; `None` when `what` says all that can be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What `doctor` saw."""

    hardware: Hardware
    compiler: str | None
    """Path of the C++ compiler."""
    compiler_problem: str | None
    """How to get one, when there is none."""
    missing: Mapping[str, tuple[str, ...]]
    """For each extra of the package, its modules that are not here."""
    models: tuple[str, ...]
    """Aliases in the store."""
    default_model: str
    speed: Speed | None
    """Of the default model, or of another one that is here."""
    failure: str | None
    """Why the trial failed, when it did."""

    @property
    def engine_installed(self) -> bool:
        """Whether every module of the engine is here."""
        return not self.missing["engine"] and not self.missing["native"]

    @property
    def can_run(self) -> bool:
        """Whether the default model ran."""
        return not self.problems and self.speed is not None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What to mend, in the order in which to do it."""
        problems: list[Problem] = []
        if self.missing["engine"]:
            what = f"The engine needs {', '.join(self.missing['engine'])}."
            problems.append(Problem(what=what, command=install_command("engine")))
        if self.missing["native"]:
            if self.compiler_problem is not None:
                problems.append(Problem(what=self.compiler_problem, command=None))
            what = "The engine has not been compiled for this machine."
            problems.append(Problem(what=what, command=install_command("native")))
        if self.default_model not in self.models:
            what = f"The model {self.default_model} is not on this machine."
            problems.append(Problem(what=what, command=f"smallhold pull {self.default_model}"))
        if self.failure is not None:
            problems.append(Problem(what=self.failure, command=None))
        return tuple(problems)

    @property
    def hints(self) -> tuple[Problem, ...]:
        """Extras that are not here; the default model runs without them."""
        uses = {"hub": "Pulling from the Hugging Face hub", "evals": "`smallhold eval`"}
        return tuple(
            Problem(
                what=f"{use} needs {', '.join(self.missing[extra])}.",
                command=install_command(extra),
            )
            for extra, use in uses.items()
            if self.missing[extra]
        )

    def to_dict(self) -> JsonObject:
        """The findings as JSON."""
        missing: JsonObject = {extra: list(modules) for extra, modules in self.missing.items()}
        return {
            "can_run": self.can_run,
            "hardware": hardware_json(self.hardware),
            "engine": {
                "installed": self.engine_installed,
                "version": None if self.speed is None else self.speed.engine_version,
                "cpu_features": None if self.speed is None else [*self.speed.cpu_features],
            },
            "compiler": self.compiler,
            "models": list(self.models),
            "default_model": self.default_model,
            "missing_modules": missing,
            "speed": None if self.speed is None else self.speed.to_dict(),
            "problems": [_problem_json(problem) for problem in self.problems],
            "hints": [_problem_json(hint) for hint in self.hints],
        }


def hardware_json(hardware: Hardware) -> JsonObject:
    """Write the machine as JSON."""
    flags: list[JsonValue] = [*sorted(hardware.cpu_flags)]
    return {
        "system": hardware.system,
        "machine": hardware.machine,
        "cpu_model": hardware.cpu_model,
        "cpu_flags": flags,
        "physical_cores": hardware.physical_cores,
        "logical_cores": hardware.logical_cores,
        "usable_cores": hardware.usable_cores,
        "total_memory_bytes": hardware.total_memory_bytes,
        "available_memory_bytes": hardware.available_memory_bytes,
    }


def _problem_json(problem: Problem) -> JsonObject:
    return {"problem": problem.what, "command": problem.command}
