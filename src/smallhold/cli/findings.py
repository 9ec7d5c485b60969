"""What is here and what is missing: this file holds the diagnosis, made from facts alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smallhold.cli.extras import install_command
from smallhold.cli.machine_views import hardware_json, power_json
from smallhold.cli.recommendation_views import choice_json
from smallhold.cli.speed import Speed
from smallhold.messages import JsonObject
from smallhold.models import AcceleratorKind, Choice, Hardware, PowerState


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
    """The model that should run: the one that was asked for, or the agents' default."""
    speed: Speed | None
    """Of the default model, or of another one that is here."""
    failure: str | None
    """Why the trial failed, when it did."""
    files: tuple[str, ...] = ()
    """References of the files in the store."""
    power: PowerState | None = None
    choice: Choice | None = None
    """The file of the default model that suits this machine."""
    choice_problem: str | None = None
    """Why there is none, when there is none."""
    recommended: Choice | None = None
    """The most capable model for this machine, here or not."""

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
        if self.default_model not in {*self.models, *self.files}:
            what = f"The model {self.default_model} is not on this machine."
            problems.append(Problem(what=what, command=f"smallhold pull {self.default_model}"))
        if self.choice_problem is not None:
            problems.append(Problem(what=self.choice_problem, command=None))
        if self.failure is not None:
            problems.append(Problem(what=self.failure, command=None))
        return tuple(problems)

    @property
    def hints(self) -> tuple[Problem, ...]:
        """Extras that are not here; the default model runs without them."""
        uses = {"hub": "Pulling from the Hugging Face hub", "evals": "`smallhold eval`"}
        missing = [
            Problem(
                what=f"{use} needs {', '.join(self.missing[extra])}.",
                command=install_command(extra),
            )
            for extra, use in uses.items()
            if self.missing[extra]
        ]
        return (*missing, *self._unmeasured_gpus(), *self._idle_gpus())

    def _unmeasured_gpus(self) -> tuple[Problem, ...]:
        is_unmeasured = any(
            one.kind is AcceleratorKind.CUDA
            and one.memory_total_bytes is None
            and not one.shares_memory
            for one in self.hardware.accelerators
        )
        if not is_unmeasured or not self.missing.get("gpu"):
            return ()
        what = "How much memory an NVIDIA GPU has is told by NVML."
        return (Problem(what=what, command=install_command("gpu")),)

    def _idle_gpus(self) -> tuple[Problem, ...]:
        machine = self.hardware
        names = [
            one.name
            for one in machine.accelerators
            if one.kind is not AcceleratorKind.NPU and not one.runs_on(machine.engine_backends)
        ]
        if not names or not self.engine_installed:
            return ()
        what = f"The engine was compiled without support for {', '.join(names)}: the CPU computes."
        return (Problem(what=what, command=None),)

    def to_dict(self) -> JsonObject:
        """The findings as JSON."""
        missing: JsonObject = {extra: list(modules) for extra, modules in self.missing.items()}
        return {
            "can_run": self.can_run,
            "hardware": hardware_json(self.hardware),
            "power": None if self.power is None else power_json(self.power),
            "engine": {
                "installed": self.engine_installed,
                "version": None if self.speed is None else self.speed.engine_version,
                "cpu_features": None if self.speed is None else [*self.speed.cpu_features],
                "backends": None if self.speed is None else [*self.speed.backends],
            },
            "compiler": self.compiler,
            "models": list(self.models),
            "default_model": self.default_model,
            "choice": None if self.choice is None else choice_json(self.choice),
            "recommended": None if self.recommended is None else choice_json(self.recommended),
            "missing_modules": missing,
            "speed": None if self.speed is None else self.speed.to_dict(),
            "problems": [_problem_json(problem) for problem in self.problems],
            "hints": [_problem_json(hint) for hint in self.hints],
        }


def _problem_json(problem: Problem) -> JsonObject:
    return {"problem": problem.what, "command": problem.command}
