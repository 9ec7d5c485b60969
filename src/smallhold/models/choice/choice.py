"""The right file for a need on a machine: this file holds `resolve` and `recommend`.

Both are pure functions of catalog, machine, budget and plan. Files are put in one order that does
not depend on the budget, and the first that fits is taken: with more memory the choice can only
move up that order, to a file that did not fit before.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from smallhold.exceptions import BudgetTooSmallError, UnknownModelError, UnknownNeedError
from smallhold.models.catalog.catalog import (
    Catalog,
    CatalogEntry,
    CatalogModel,
    ModelPurpose,
    follow,
)
from smallhold.models.choice.candidates import (
    Candidate,
    Room,
    is_runnable,
    plan_for,
    room_of,
    shorter_plans,
    weigh,
)
from smallhold.models.choice.need import (
    CATEGORY_WORDS,
    USE_WORDS,
    Need,
    Preference,
    parse_need,
)
from smallhold.models.choice.reasons import (
    PassedOver,
    Reason,
    reasons_against,
    reasons_for,
)
from smallhold.models.fit.fit import MemoryEstimate, MemoryPlan
from smallhold.models.machine.hardware import Hardware

INSTALLED_BONUS: Final = 1.25
"""A model that is here already is preferred to one of up to a quarter more parameters: families
differ by more at the same size, and nothing has to be fetched."""

_FITTING: Final = 3
"""The most files that an error offers instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A file, with why it was chosen."""

    entry: CatalogEntry
    estimate: MemoryEstimate
    """What it takes when it is loaded by `plan`."""
    plan: MemoryPlan
    """How to load it: `gpu_layers` is -1 where it is to run on a GPU."""
    is_installed: bool
    reasons: tuple[Reason, ...]
    passed_over: tuple[PassedOver, ...]

    @property
    def on_gpu(self) -> bool:
        """Whether it is to run on a GPU."""
        return self.plan.gpu_layers != 0


def resolve(
    need: str | Need,
    *,
    catalog: Catalog,
    hardware: Hardware,
    is_installed: Callable[[CatalogEntry], bool],
    budget_bytes: int | None = None,
    plan: MemoryPlan | None = None,
) -> Choice:
    """Find the file for a need.

    Of a model that is named, a file that is here comes before one that is not. Among models, one
    that is here comes before one of up to a quarter more parameters.

    Args:
        need: An alias, `alias:quantization`, words (see `parse_need`) or a `Need`.
        catalog: The models that there are.
        hardware: The machine.
        is_installed: Tells whether a file is in the store.
        budget_bytes: Most memory it may take; the machine's memory less a reserve when left out.
        plan: How it will be loaded; the engine's defaults when left out, with all layers on a GPU
            where the engine computes on one that has room, and with a shorter context where there
            is none for the usual one.

    Raises:
        UnknownModelError: no such alias; the error names the nearest ones.
        UnknownVariantError: the model has no file of this quantization.
        UnsignedModelError: only signed models may be used, and this one is not.
        UnknownNeedError: words that mean nothing here, or that no model of the catalog fulfils.
        BudgetTooSmallError: nothing fits; the error says what would.
    """
    return recommend(
        need,
        catalog=catalog,
        hardware=hardware,
        is_installed=is_installed,
        budget_bytes=budget_bytes,
        plan=plan,
    )[0]


def recommend(
    need: str | Need | None = None,
    *,
    catalog: Catalog,
    hardware: Hardware,
    is_installed: Callable[[CatalogEntry], bool],
    budget_bytes: int | None = None,
    plan: MemoryPlan | None = None,
) -> tuple[Choice, ...]:
    """Rank what fulfils a need and fits, the best first: one file of each model.

    When the need is an alias, all files of that model that fit. Arguments and errors are those of
    `resolve`; without a need, all models that answer are ranked.
    """
    wanted = parse_need(need, aliases=catalog.aliases) if isinstance(need, str) else need or Need()
    budgets = [b for b in (budget_bytes, wanted.memory_bytes) if b is not None]
    room = room_of(hardware, budget_bytes=min(budgets, default=None))
    plans = _plans(wanted, room=room, plan=plan)
    entries = _wanted_entries(wanted, catalog=catalog)
    candidates = _weighed(entries, room=room, plans=plans, is_installed=is_installed)
    ranked = sorted((one for one in candidates if one.fits), key=_order(wanted))
    by_file = _first_of_each(ranked, lambda one: one.entry.reference)
    chosen = (
        by_file if wanted.alias is not None else _first_of_each(ranked, lambda one: one.entry.alias)
    )
    if not chosen:
        raise _too_small(wanted, candidates, catalog=catalog, room=room)
    smallest_first = sorted(candidates, key=lambda one: one.estimate.total_bytes)
    files = _first_of_each([*by_file, *smallest_first], lambda one: one.entry.reference)
    return tuple(
        _choice(one, rank=rank, need=wanted, files=files, room=room, usual=plans[0])
        for rank, one in enumerate(chosen)
    )


def _plans(need: Need, *, room: Room, plan: MemoryPlan | None) -> tuple[MemoryPlan, ...]:
    """How a model may be loaded: as was said, or with less context where nothing was said."""
    usual = plan or plan_for(room)
    if need.context_tokens is not None:
        return (replace(usual, context_tokens=need.context_tokens, cells=None),)
    return (usual,) if plan is not None else shorter_plans(usual)


def _wanted_entries(need: Need, *, catalog: Catalog) -> list[tuple[CatalogEntry, bool]]:
    """The files that would fulfil a need, each with whether it is its model's default."""
    if need.alias is not None:
        return _named_entries(need, catalog=catalog)
    models = [model for model in catalog if _fulfils(model, need)]
    entries = [(e, e == m.default) for m in models for e in m.entries if is_runnable(e)]
    if not entries:
        raise UnknownNeedError(
            need=need.text or _described(need), problem="the catalog has none that runs here"
        )
    if need.context_tokens is None:
        return entries
    long_enough = [pair for pair in entries if pair[0].context_tokens >= need.context_tokens]
    if not long_enough:
        longest = max(entry.context_tokens for entry, _ in entries)
        problem = f"the longest context of such models is {longest:,} tokens"
        raise UnknownNeedError(need=need.text or _described(need), problem=problem)
    return long_enough


def _named_entries(need: Need, *, catalog: Catalog) -> list[tuple[CatalogEntry, bool]]:
    alias = need.alias or ""
    try:
        model = catalog.model(alias)
    except UnknownModelError as error:
        words = difflib.get_close_matches(alias, [*USE_WORDS, *CATEGORY_WORDS], n=1)
        if error.near or not words:
            raise
        raise UnknownNeedError(
            need=need.text or alias, problem="there is no such alias", near=words
        ) from error
    # A second name may stand for one file of a model.
    quantization = need.quantization or follow(alias, redirects=catalog.redirects)[-1][1]
    if quantization:
        entry = catalog.resolve(f"{alias}:{quantization}")
        return [(entry, entry == model.default)]
    runnable = [entry for entry in model.entries if is_runnable(entry)]
    return [(entry, entry == model.default) for entry in runnable or model.entries]


def _fulfils(model: CatalogModel, need: Need) -> bool:
    return (
        model.purpose is ModelPurpose.CHAT
        and (need.use_case is None or need.use_case in model.use_cases)
        and (need.category is None or need.category is model.category)
    )


def _weighed(
    entries: Iterable[tuple[CatalogEntry, bool]],
    *,
    room: Room,
    plans: Sequence[MemoryPlan],
    is_installed: Callable[[CatalogEntry], bool],
) -> list[Candidate]:
    """Weigh each file in each way of loading it; the longest context comes first."""
    known = [(entry, is_default, is_installed(entry)) for entry, is_default in entries]
    return [
        weigh(entry, room=room, plan=plan, is_installed=installed, is_default=is_default)
        for plan in plans
        for entry, is_default, installed in known
    ]


def _order(need: Need) -> Callable[[Candidate], tuple[float, ...]]:
    """The order in which files are preferred; sorting is stable, so the catalog's decides last."""
    if need.alias is not None:
        return lambda one: (
            not one.is_installed,
            one.is_lossy and not one.is_installed,
            -one.plan.context_tokens,
            not one.on_gpu,
            one.preference,
        )
    if need.preference is Preference.FASTEST:
        return lambda one: (*_faults(one), _parameters(one, bonus=1 / INSTALLED_BONUS), *_tie(one))
    return lambda one: (*_faults(one), -_parameters(one, bonus=INSTALLED_BONUS), *_tie(one))


def _faults(one: Candidate) -> tuple[float, ...]:
    return (one.is_lossy, one.is_slow, one.is_for_study_only, -one.plan.context_tokens)


def _parameters(one: Candidate, *, bonus: float) -> float:
    return one.entry.parameter_count * (bonus if one.is_installed else 1.0)


def _tie(one: Candidate) -> tuple[float, ...]:
    return (one.entry.calibration is None, not one.on_gpu, one.preference)


def _first_of_each(
    ranked: Iterable[Candidate], name: Callable[[Candidate], str]
) -> list[Candidate]:
    first: dict[str, Candidate] = {}
    for one in ranked:
        first.setdefault(name(one), one)
    return list(first.values())


def _choice(
    one: Candidate,
    *,
    rank: int,
    need: Need,
    files: Sequence[Candidate],
    room: Room,
    usual: MemoryPlan,
) -> Choice:
    rest = [other for other in files if other.entry.reference != one.entry.reference]
    siblings = [other for other in rest if other.entry.alias == one.entry.alias]
    return Choice(
        entry=one.entry,
        estimate=one.estimate,
        plan=one.plan,
        is_installed=one.is_installed,
        reasons=reasons_for(
            one,
            need=need,
            is_first=rank == 0,
            siblings=siblings,
            room=room,
            usual_tokens=usual.context_tokens,
        ),
        passed_over=reasons_against(rest, chosen=one, room=room),
    )


def _too_small(
    need: Need, candidates: Sequence[Candidate], *, catalog: Catalog, room: Room
) -> BudgetTooSmallError:
    smallest = min(candidates, key=lambda one: one.estimate.total_bytes)
    models = [model for model in catalog if model.purpose is ModelPurpose.CHAT]
    entries = [(e, e == m.default) for m in models for e in m.entries if is_runnable(e)]
    weighed = _weighed(entries, room=room, plans=[smallest.plan], is_installed=lambda _: False)
    fitting = sorted((one for one in weighed if one.fits), key=_order(Need()))
    # Other files of the model that was named come closest to what was meant.
    named = [one for one in fitting if one.entry.alias == smallest.entry.alias]
    return BudgetTooSmallError(
        need=need.text or _described(need),
        budget_bytes=room.budget_bytes,
        smallest=smallest.entry.reference,
        needed_bytes=smallest.estimate.total_bytes,
        fitting=[
            f"{one.entry.reference} ({one.estimate.total_bytes / 1e6:,.0f} MB)"
            for one in (named or _first_of_each(fitting, lambda one: one.entry.alias))[:_FITTING]
        ],
    )


def _described(need: Need) -> str:
    if need.alias is not None:
        return f"{need.alias}:{need.quantization}" if need.quantization else need.alias
    words = [word for word in (need.use_case, need.category) if word is not None]
    return " ".join(words) or "any model"
