"""Why a file was chosen or passed over: this file holds reasons as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.choice.candidates import Candidate, Room
from smallhold.models.choice.need import Need, Preference


class ReasonKind(StrEnum):
    """What speaks for a file, against it, or must be known about it."""

    MODEL_NAMED = "model-named"
    """The need names this model, in `detail`."""
    FILE_NAMED = "file-named"
    """The need names exactly this file."""
    USE_CASE = "use-case"
    """It is made for what is wanted, in `detail`."""
    CATEGORY = "category"
    CONTEXT_LONG_ENOUGH = "context-long-enough"
    """`needed_tokens` were asked for; it was trained for `limit_tokens`."""
    MOST_PARAMETERS = "most-parameters"
    """The largest model that fits and is fast enough to work with; `detail` is how many."""
    FEWEST_PARAMETERS = "fewest-parameters"
    """The smallest one, since a fast one was asked for."""
    FITS_MEMORY = "fits-memory"
    """It takes `needed_bytes` of `limit_bytes` of memory."""
    FITS_GPU = "fits-gpu"
    """It takes `needed_bytes` of `limit_bytes` of the GPUs' memory."""
    ALREADY_INSTALLED = "already-installed"
    PREFERRED_ON_CPU = "preferred-on-cpu"
    """No other file of the model that fits is better for a CPU; the quantization is in `detail`."""
    PREFERRED_ON_GPU = "preferred-on-gpu"

    UNVERIFIED = "unverified"
    """Its digest is not known before it is pulled."""
    RESTRICTED_LICENCE = "restricted-licence"
    """A licence of the publisher's own, named in `detail`: read it before use."""
    NON_COMMERCIAL = "non-commercial"
    """A licence, named in `detail`, that allows study only."""
    LOSSY_QUANTIZATION = "lossy-quantization"
    """So few bits that answers suffer; the quantization is in `detail`."""
    SLOW_HERE = "slow-here"
    """Too many parameters for this many cores: a prompt is read at about `tokens_per_s`."""
    CONTEXT_SHORTENED = "context-shortened"
    """It is loaded with a context of `limit_tokens` instead of the usual `needed_tokens`."""
    MEMORY_TAKEN_NOW = "memory-taken-now"
    """It takes `needed_bytes`; only `limit_bytes` are free just now."""
    ROUGH_ESTIMATE = "rough-estimate"
    """The model's shape is not known; the estimate is on the safe side."""

    NEEDS_MORE_MEMORY = "needs-more-memory"
    """It takes `needed_bytes` of memory; `limit_bytes` may be used."""
    LESS_PREFERRED = "less-preferred"
    """It fits and would do, but less well."""
    FEWER_PARAMETERS = "fewer-parameters"
    MORE_PARAMETERS = "more-parameters"
    NOT_INSTALLED = "not-installed"
    """It would have to be pulled; what was chosen is here and nearly as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason with its numbers."""

    kind: ReasonKind
    needed_bytes: int | None = None
    limit_bytes: int | None = None
    needed_tokens: int | None = None
    limit_tokens: int | None = None
    tokens_per_s: float | None = None
    detail: str | None = None
    """A name that belongs to the reason, such as a quantization or a licence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A file that was not chosen."""

    entry: CatalogEntry
    is_installed: bool
    reason: Reason


def reasons_for(
    chosen: Candidate,
    *,
    need: Need,
    is_first: bool,
    siblings: Sequence[Candidate],
    room: Room,
    usual_tokens: int,
) -> tuple[Reason, ...]:
    """Say why a file was chosen, and what must be known about it.

    Args:
        chosen: The file.
        need: What was wanted.
        is_first: Whether it is the best of all models.
        siblings: Other files of its model that would do.
        room: What the machine has for it.
        usual_tokens: The context that it would have with memory enough.
    """
    return (
        *_of_the_need(chosen, need=need, is_first=is_first),
        _fit(chosen, room=room),
        *_of_the_file(chosen, siblings=siblings),
        *_cautions(chosen, room=room, usual_tokens=min(usual_tokens, chosen.entry.context_tokens)),
    )


def reasons_against(
    others: Iterable[Candidate], *, chosen: Candidate, room: Room
) -> tuple[PassedOver, ...]:
    """Say of each other file why it was not chosen."""
    return tuple(
        PassedOver(
            entry=one.entry,
            is_installed=one.is_installed,
            reason=_against(one, chosen=chosen, room=room),
        )
        for one in others
    )


def _of_the_need(chosen: Candidate, *, need: Need, is_first: bool) -> Iterator[Reason]:
    entry = chosen.entry
    if need.alias is not None:
        kind = ReasonKind.FILE_NAMED if need.quantization else ReasonKind.MODEL_NAMED
        yield Reason(kind=kind, detail=entry.reference if need.quantization else entry.alias)
        return
    if need.use_case is not None:
        yield Reason(kind=ReasonKind.USE_CASE, detail=need.use_case)
    if need.category is not None:
        yield Reason(kind=ReasonKind.CATEGORY, detail=need.category)
    if need.context_tokens is not None:
        yield Reason(
            kind=ReasonKind.CONTEXT_LONG_ENOUGH,
            needed_tokens=need.context_tokens,
            limit_tokens=entry.context_tokens,
        )
    if is_first:
        is_fast = need.preference is Preference.FASTEST
        yield Reason(
            kind=ReasonKind.FEWEST_PARAMETERS if is_fast else ReasonKind.MOST_PARAMETERS,
            detail=str(entry.parameter_count),
        )


def _fit(chosen: Candidate, *, room: Room) -> Reason:
    if chosen.on_gpu:
        return Reason(
            kind=ReasonKind.FITS_GPU,
            needed_bytes=chosen.estimate.device_bytes,
            limit_bytes=room.gpu_bytes,
        )
    return Reason(
        kind=ReasonKind.FITS_MEMORY,
        needed_bytes=chosen.estimate.total_bytes,
        limit_bytes=room.budget_bytes,
    )


def _of_the_file(chosen: Candidate, *, siblings: Sequence[Candidate]) -> Iterator[Reason]:
    if chosen.is_installed:
        yield Reason(kind=ReasonKind.ALREADY_INSTALLED)
    rivals = [one for one in siblings if one.fits]
    if rivals and all(chosen.preference <= one.preference for one in rivals):
        kind = ReasonKind.PREFERRED_ON_GPU if chosen.on_gpu else ReasonKind.PREFERRED_ON_CPU
        yield Reason(kind=kind, detail=chosen.entry.quantization)


def _cautions(chosen: Candidate, *, room: Room, usual_tokens: int) -> Iterator[Reason]:
    entry, needed_bytes = chosen.entry, chosen.estimate.total_bytes
    if chosen.is_lossy:
        yield Reason(kind=ReasonKind.LOSSY_QUANTIZATION, detail=entry.quantization)
    if chosen.is_slow:
        yield Reason(kind=ReasonKind.SLOW_HERE, tokens_per_s=chosen.reading_tokens_s)
    if chosen.plan.context_tokens < usual_tokens:
        yield _shortened(chosen, usual_tokens=usual_tokens)
    if needed_bytes > room.available_bytes:
        yield Reason(
            kind=ReasonKind.MEMORY_TAKEN_NOW,
            needed_bytes=needed_bytes,
            limit_bytes=room.available_bytes,
        )
    if chosen.estimate.is_conservative:
        yield Reason(kind=ReasonKind.ROUGH_ESTIMATE)
    if entry.sha256 is None and not chosen.is_installed:
        yield Reason(kind=ReasonKind.UNVERIFIED)
    if chosen.is_for_study_only:
        yield Reason(kind=ReasonKind.NON_COMMERCIAL, detail=entry.licence)
    elif entry.licence.startswith("LicenseRef-"):
        yield Reason(kind=ReasonKind.RESTRICTED_LICENCE, detail=entry.licence)


def _shortened(one: Candidate, *, usual_tokens: int) -> Reason:
    return Reason(
        kind=ReasonKind.CONTEXT_SHORTENED,
        needed_tokens=usual_tokens,
        limit_tokens=one.plan.context_tokens,
    )


def _against(one: Candidate, *, chosen: Candidate, room: Room) -> Reason:
    if not one.fits:
        return Reason(
            kind=ReasonKind.NEEDS_MORE_MEMORY,
            needed_bytes=one.estimate.total_bytes,
            limit_bytes=room.budget_bytes,
        )
    fault = _fault(one, chosen=chosen)
    return _ranks_lower(one.entry, chosen=chosen.entry) if fault is None else fault


def _fault(one: Candidate, *, chosen: Candidate) -> Reason | None:
    if one.is_lossy and not chosen.is_lossy:
        return Reason(kind=ReasonKind.LOSSY_QUANTIZATION, detail=one.entry.quantization)
    if one.is_slow and not chosen.is_slow:
        return Reason(kind=ReasonKind.SLOW_HERE, tokens_per_s=one.reading_tokens_s)
    if one.is_for_study_only and not chosen.is_for_study_only:
        return Reason(kind=ReasonKind.NON_COMMERCIAL, detail=one.entry.licence)
    if chosen.is_installed and not one.is_installed:
        return Reason(kind=ReasonKind.NOT_INSTALLED)
    if one.plan.context_tokens < chosen.plan.context_tokens:
        return _shortened(one, usual_tokens=chosen.plan.context_tokens)
    return None


def _ranks_lower(entry: CatalogEntry, *, chosen: CatalogEntry) -> Reason:
    if entry.alias != chosen.alias and entry.parameter_count != chosen.parameter_count:
        is_smaller = entry.parameter_count < chosen.parameter_count
        return Reason(
            kind=ReasonKind.FEWER_PARAMETERS if is_smaller else ReasonKind.MORE_PARAMETERS,
            detail=str(entry.parameter_count),
        )
    return Reason(kind=ReasonKind.LESS_PREFERRED, detail=entry.quantization)
