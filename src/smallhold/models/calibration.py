"""What was learnt about a model's decisions: this file holds calibrations and their file format.

A model's raw preferences are biased: towards calling, towards the first tool, towards whatever its
training showed often. A calibration is a small linear reading of its scores, fitted once for each
model file on messages whose right decision is known, and stored beside the catalog. Models without
one are read plainly. How to fit one: `docs/accuracy.md`.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smallhold.exceptions import CatalogError

_FOLDER: Final = "calibrations"
_Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearRule:
    """A weighted sum of named features; positive means yes."""

    weights: Mapping[str, float]
    """Nats or ratios in, nats out."""
    intercept: float

    def __call__(self, features: Mapping[str, float]) -> float:
        """Read features; the result is the log-odds of yes.

        Raises:
            KeyError: a feature that the rule weighs is not there.
        """
        return self.intercept + sum(
            weight * features[name] for name, weight in self.weights.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How one model's scores are read."""

    fitted_on: str
    """The messages it was fitted on and how well it does on others, in words."""
    pick: LinearRule
    """How well each tool fits; the best is the one that may be called."""
    call: LinearRule
    """Whether a tool is called rather than none."""
    further: LinearRule
    """Whether one more call is made for the same message."""
    suits: LinearRule
    """Whether a call is for what was asked, now that its arguments are there."""
    ask: LinearRule
    """Whether to ask for what nobody said rather than make a call that suits."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _RuleRecord(_Record):
    weights: dict[str, _Finite]
    intercept: _Finite

    def rule(self) -> LinearRule:
        return LinearRule(weights=MappingProxyType(dict(self.weights)), intercept=self.intercept)


class _CalibrationRecord(_Record):
    fitted_on: str
    pick: _RuleRecord
    call: _RuleRecord
    further: _RuleRecord
    suits: _RuleRecord
    ask: _RuleRecord


@cache
def packaged_calibration(name: str) -> Calibration:
    """Read a calibration that comes with the package.

    Args:
        name: Name of the file without its ending, as in a catalog entry's `calibration`.

    Raises:
        CatalogError: there is no such file, or it is malformed.
    """
    file = f"smallhold/models/{_FOLDER}/{name}.json"
    resource = resources.files("smallhold.models").joinpath(_FOLDER, f"{name}.json")
    try:
        text = resource.read_bytes()
    except OSError as error:
        raise CatalogError(file=file, place="whole file", problem="it cannot be read") from error
    return parse_calibration(text, file=file)


def parse_calibration(text: bytes, *, file: str) -> Calibration:
    """Turn a calibration file's bytes into values; `file` is its name for errors.

    Raises:
        CatalogError: the bytes are no calibration.
    """
    try:
        record = _CalibrationRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "whole file"
        raise CatalogError(file=file, place=place, problem=first["msg"]) from error
    return Calibration(
        fitted_on=record.fitted_on,
        pick=record.pick.rule(),
        call=record.call.rule(),
        further=record.further.rule(),
        suits=record.suits.rule(),
        ask=record.ask.rule(),
    )
