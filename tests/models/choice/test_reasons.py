"""Promises of `smallhold.models.choice.reasons`:
this file holds tests of why a file was chosen or not.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.models.choice_cases import BILLION, GB, machine, model

from smallhold.models.catalog.catalog import CatalogEntry, Category, UseCase
from smallhold.models.choice.candidates import Candidate, Room, plan_for, room_of, weigh
from smallhold.models.choice.need import Need, Preference
from smallhold.models.choice.reasons import Reason, ReasonKind, reasons_against, reasons_for

ROOM = room_of(machine(), budget_bytes=8 * GB)
MODEL = model("some-1b", BILLION, use_cases=[UseCase.CODE_ASSISTANCE])
ENTRY = MODEL.default


def candidate(
    entry: CatalogEntry = ENTRY, *, room: Room = ROOM, is_installed: bool = False
) -> Candidate:
    return weigh(entry, room=room, plan=plan_for(room), is_installed=is_installed, is_default=False)


def said(chosen: Candidate, *, need: Need | None = None, is_first: bool = True) -> list[Reason]:
    reasons = reasons_for(
        chosen, need=need or Need(), is_first=is_first, siblings=[], room=ROOM, usual_tokens=8192
    )
    return list(reasons)


def against(one: Candidate, chosen: Candidate) -> Reason:
    (passed_over,) = reasons_against([one], chosen=chosen, room=ROOM)
    assert passed_over.entry == one.entry
    return passed_over.reason


def test_a_fit_is_told_with_both_numbers() -> None:
    one = candidate()
    assert Reason(
        kind=ReasonKind.FITS_MEMORY,
        needed_bytes=one.estimate.total_bytes,
        limit_bytes=8 * GB,
    ) in said(one)


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        (Need(alias="some-1b"), [ReasonKind.MODEL_NAMED]),
        (Need(alias="some-1b", quantization="q4_k_m"), [ReasonKind.FILE_NAMED]),
        (
            Need(use_case=UseCase.CODE_ASSISTANCE, category=Category.BALANCED),
            [ReasonKind.USE_CASE, ReasonKind.CATEGORY, ReasonKind.MOST_PARAMETERS],
        ),
        (
            Need(context_tokens=1000, preference=Preference.FASTEST),
            [ReasonKind.CONTEXT_LONG_ENOUGH, ReasonKind.FEWEST_PARAMETERS],
        ),
    ],
)
def test_what_was_wanted_comes_first(need: Need, expected: list[ReasonKind]) -> None:
    kinds = [reason.kind for reason in said(candidate(), need=need)]
    assert kinds[: len(expected)] == expected


def test_only_the_first_of_a_list_is_the_most_capable() -> None:
    kinds = [reason.kind for reason in said(candidate(), is_first=False)]
    assert ReasonKind.MOST_PARAMETERS not in kinds


def test_a_file_of_unknown_digest_is_told_of_until_it_is_here() -> None:
    entry = replace(ENTRY, sha256=None)
    assert Reason(kind=ReasonKind.UNVERIFIED) in said(candidate(entry))
    assert Reason(kind=ReasonKind.UNVERIFIED) not in said(candidate(entry, is_installed=True))


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("LicenseRef-Gemma", ReasonKind.RESTRICTED_LICENCE),
        ("LicenseRef-Qwen-Research", ReasonKind.NON_COMMERCIAL),
    ],
)
def test_a_licence_of_the_publisher_s_own_is_named(licence: str, kind: ReasonKind) -> None:
    entry = replace(ENTRY, licence=licence)
    assert Reason(kind=kind, detail=licence) in said(candidate(entry))


def test_what_does_not_fit_is_told_with_both_numbers() -> None:
    large = candidate(model("large-9b", 9 * BILLION, variants=["F16"]).default)
    reason = against(large, candidate())
    assert reason == Reason(
        kind=ReasonKind.NEEDS_MORE_MEMORY,
        needed_bytes=large.estimate.total_bytes,
        limit_bytes=8 * GB,
    )


def test_a_passed_over_file_is_told_its_worst_fault() -> None:
    chosen = candidate(is_installed=True)
    files = {entry.quantization: candidate(entry) for entry in MODEL.entries}
    assert against(files["Q2_K"], chosen).kind is ReasonKind.LOSSY_QUANTIZATION
    assert against(files["Q8_0"], chosen).kind is ReasonKind.NOT_INSTALLED
    assert against(files["Q8_0"], candidate()).kind is ReasonKind.LESS_PREFERRED


@pytest.mark.parametrize(
    ("count", "kind"),
    [(BILLION // 2, ReasonKind.FEWER_PARAMETERS), (2 * BILLION, ReasonKind.MORE_PARAMETERS)],
)
def test_another_model_is_smaller_or_larger(count: int, kind: ReasonKind) -> None:
    other = candidate(model("other", count).default)
    assert against(other, candidate()) == Reason(kind=kind, detail=str(count))


def test_a_model_that_is_slow_here_is_told_its_speed() -> None:
    room = room_of(machine(cores=1), budget_bytes=30 * GB)
    slow = candidate(model("large-8b", 8 * BILLION).default, room=room)
    fast = candidate(room=room)
    assert against(slow, fast).kind is ReasonKind.SLOW_HERE
    assert against(slow, fast).tokens_per_s == slow.reading_tokens_s


def test_a_context_that_was_shortened_is_told_with_both_lengths() -> None:
    plan = replace(plan_for(ROOM), context_tokens=2048)
    short = weigh(ENTRY, room=ROOM, plan=plan, is_installed=False, is_default=True)
    reason = Reason(kind=ReasonKind.CONTEXT_SHORTENED, needed_tokens=8192, limit_tokens=2048)
    assert reason in said(short)
    assert against(short, candidate()) == reason
