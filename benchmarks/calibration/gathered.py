"""What a model made of one sample: this file holds its record, a line of JSON.

A record has no text of the data: it names its sample, which is read again where it is needed.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calibration.samples import Sample
from pydantic import BaseModel, ConfigDict, JsonValue

from smallhold.evals.chat_records import read_rows
from smallhold.exceptions import ConfigError
from smallhold.generation import Scores
from smallhold.messages import Usage


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MadeRecord(_Record):
    """One call."""

    name: str
    arguments: dict[str, JsonValue]


class StepRecord(_Record):
    """What was seen when the calls of a message might have been all."""

    made: list[MadeRecord]
    """The calls that were made before, in order."""
    log_probs: list[float]
    """For each tool, then for no further call."""


class FilledRecord(_Record):
    """A call of the likeliest tool with its whole arguments."""

    tool: str
    arguments: dict[str, JsonValue]
    invented: list[str]
    """Required arguments that nobody mentioned and that may not be composed."""
    unmentioned: int
    steps: list[StepRecord]
    """After the first call and each later one; none where nobody knows how many are right."""


class GatheredRecord(_Record):
    """One sample: the scores of its tools, and the call if one was filled."""

    model: str
    category: str
    id: str
    log_probs: list[float]
    """For each tool, then for the special calls instead of one."""
    baseline_log_probs: list[float]
    """The same after a message without content."""
    filled: FilledRecord | None

    @property
    def key(self) -> str:
        """What no other record of a file has."""
        return f"{self.category}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A record and its sample."""

    sample: Sample
    record: GatheredRecord

    @property
    def scores(self) -> Scores:
        """The scores as a runtime gave them."""
        return scores_of(
            self.record.log_probs, baseline_log_probs=tuple(self.record.baseline_log_probs)
        )


def scores_of(
    log_probs: list[float], *, baseline_log_probs: tuple[float, ...] | None = None
) -> Scores:
    """Make scores of recorded log-probabilities; lengths and costs were not kept."""
    return Scores(
        log_probs=tuple(log_probs),
        baseline_log_probs=baseline_log_probs,
        token_counts=(1,) * len(log_probs),
        usage=Usage(),
    )


def parse_record(line: bytes) -> tuple[str, GatheredRecord]:
    """Turn one line into its key and record. Raises `ValueError` where it is none."""
    record = GatheredRecord.model_validate_json(line)
    return record.key, record


def read_gathered(path: Path, *, samples: Mapping[str, Sample]) -> tuple[Gathered, ...]:
    """Read a file of records and find the samples that they name.

    Args:
        path: JSON Lines, UTF-8.
        samples: By `sample_key`.

    Raises:
        ConfigError: there is no record, records of two models, or one of an unknown sample.
        DatasetError: a line is no record.
    """
    records = read_rows(path, parse=parse_record)
    models = {record.model for record in records}
    if len(models) != 1:
        remedy = f"give a file with rows of one model, not {len(models)}"
        raise ConfigError(field="file", value=str(path), remedy=remedy)
    unknown = next((record.key for record in records if record.key not in samples), None)
    if unknown is not None:
        remedy = "give the data that the rows were gathered on"
        raise ConfigError(field="data", value=unknown, remedy=remedy)
    return tuple(Gathered(sample=samples[record.key], record=record) for record in records)


def sample_key(sample: Sample) -> str:
    """What records of a sample are found by."""
    return f"{sample.category}/{sample.id}"
