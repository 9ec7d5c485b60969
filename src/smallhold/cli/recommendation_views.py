"""Choices for people and programs: this file holds how a choice and its reasons are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Column, Table

from smallhold.cli.terminal import foreign
from smallhold.messages import JsonObject, JsonValue
from smallhold.models import Choice, Reason, ReasonKind

_MEGABYTE: Final = 1e6
_BILLION: Final = 1e9

CAUTIONS: Final = frozenset({
    ReasonKind.LOSSY_QUANTIZATION,
    ReasonKind.SLOW_HERE,
    ReasonKind.CONTEXT_SHORTENED,
    ReasonKind.MEMORY_TAKEN_NOW,
    ReasonKind.ROUGH_ESTIMATE,
    ReasonKind.UNVERIFIED,
    ReasonKind.RESTRICTED_LICENCE,
    ReasonKind.NON_COMMERCIAL,
})
"""Reasons that are no praise."""

_SENTENCES: Final = {
    ReasonKind.MODEL_NAMED: "you named {detail}",
    ReasonKind.FILE_NAMED: "you named exactly this file",
    ReasonKind.USE_CASE: "made for {detail}",
    ReasonKind.CATEGORY: "of the category {detail}",
    ReasonKind.CONTEXT_LONG_ENOUGH: "takes {needed_tokens} tokens, trained for {limit_tokens}",
    ReasonKind.MOST_PARAMETERS: "the most capable that fits and is fast enough, {count}",
    ReasonKind.FEWEST_PARAMETERS: "the smallest, {count}",
    ReasonKind.FITS_MEMORY: "takes {needed} of {limit}",
    ReasonKind.FITS_GPU: "takes {needed} of {limit} on the GPU",
    ReasonKind.ALREADY_INSTALLED: "is here already",
    ReasonKind.PREFERRED_ON_CPU: "{detail} suits a CPU best of what fits",
    ReasonKind.PREFERRED_ON_GPU: "{detail} suits a GPU best of what fits",
    ReasonKind.UNVERIFIED: "its digest is learnt on arrival",
    ReasonKind.RESTRICTED_LICENCE: "read its licence first, {detail}",
    ReasonKind.NON_COMMERCIAL: "{detail} allows study only",
    ReasonKind.LOSSY_QUANTIZATION: "{detail} loses much",
    ReasonKind.SLOW_HERE: "slow here, reads about {rate} tokens/s",
    ReasonKind.CONTEXT_SHORTENED: "{limit_tokens} tokens of context instead of {needed_tokens}",
    ReasonKind.MEMORY_TAKEN_NOW: "takes {needed}, only {limit} are free now",
    ReasonKind.ROUGH_ESTIMATE: "the estimate is rough",
    ReasonKind.NEEDS_MORE_MEMORY: "takes {needed}, {limit} may be used",
    ReasonKind.LESS_PREFERRED: "would do less well",
    ReasonKind.FEWER_PARAMETERS: "smaller, {count}",
    ReasonKind.MORE_PARAMETERS: "larger, {count}",
    ReasonKind.NOT_INSTALLED: "would have to be pulled",
}


def reason_sentence(reason: Reason) -> str:
    """Say a reason in English."""
    detail = reason.detail or ""
    return _SENTENCES[reason.kind].format(
        detail=detail,
        count=f"{int(detail) / _BILLION:.2f} B weights" if detail.isdigit() else detail,
        needed=_size(reason.needed_bytes),
        limit=_size(reason.limit_bytes),
        needed_tokens=f"{reason.needed_tokens or 0:,}",
        limit_tokens=f"{reason.limit_tokens or 0:,}",
        rate=f"{reason.tokens_per_s or 0.0:.0f}",
    )


def reason_json(reason: Reason) -> JsonObject:
    """Write a reason as JSON, without the numbers that it has not."""
    fields: JsonObject = {
        "kind": reason.kind,
        "needed_bytes": reason.needed_bytes,
        "limit_bytes": reason.limit_bytes,
        "needed_tokens": reason.needed_tokens,
        "limit_tokens": reason.limit_tokens,
        "tokens_per_s": None if reason.tokens_per_s is None else round(reason.tokens_per_s, 1),
        "detail": reason.detail,
    }
    known: JsonObject = {name: value for name, value in fields.items() if value is not None}
    return {**known, "sentence": reason_sentence(reason)}


def choice_json(choice: Choice) -> JsonObject:
    """Write a choice as JSON."""
    entry = choice.entry
    reasons: list[JsonValue] = [reason_json(reason) for reason in choice.reasons]
    passed_over: list[JsonValue] = [
        {
            "reference": other.entry.reference,
            "installed": other.is_installed,
            "reason": reason_json(other.reason),
        }
        for other in choice.passed_over
    ]
    return {
        "reference": entry.reference,
        "alias": entry.alias,
        "quantization": entry.quantization,
        "parameter_count": entry.parameter_count,
        "size_bytes": entry.size_bytes,
        "licence": entry.licence,
        "installed": choice.is_installed,
        "on_gpu": choice.on_gpu,
        "context_tokens": choice.plan.context_tokens,
        "memory": choice.estimate.to_dict(),
        "reasons": reasons,
        "passed_over": passed_over,
    }


def choice_line(choice: Choice) -> str:
    """Say a choice and its reasons in one line."""
    reasons = "; ".join(reason_sentence(reason) for reason in choice.reasons)
    return f"{choice.entry.reference}: {reasons}"


def choices_table(choices: Sequence[Choice]) -> Table:
    """Lay choices out for people, the best first."""
    table = Table(
        Column("model", no_wrap=True),
        Column("weights", justify="right"),
        Column("memory", justify="right"),
        "here",
        "mind",
    )
    for choice in choices:
        entry = choice.entry
        cautions = [reason.kind for reason in choice.reasons if reason.kind in CAUTIONS]
        table.add_row(
            foreign(entry.reference),
            f"{entry.parameter_count / _BILLION:.2f} B",
            _size(choice.estimate.total_bytes),
            "yes" if choice.is_installed else "no",
            ", ".join(kind.replace("-", " ") for kind in cautions),
        )
    return table


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / _MEGABYTE:,.0f} MB"
