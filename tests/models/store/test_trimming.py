"""Promises of `smallhold.models.store.trimming`: this file holds tests of plans for making room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.store.trimming import StoredBlob, TrimPlan, plan_trim

BLOBS = st.lists(
    st.builds(
        StoredBlob,
        sha256=st.sampled_from([f"{number:064x}" for number in range(12)]),
        size_bytes=st.integers(1, 100),
        last_used_s=st.sampled_from([0.0, 1.0, 2.0, 3.0]),
        references=st.lists(st.sampled_from(["a:q4", "b:q4", "c:q8"]), max_size=2).map(tuple),
        is_pinned=st.booleans(),
        is_loaded=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda blob: blob.sha256,
)
KEPT = st.sets(st.sampled_from(["a:q4", "c:q8"]))
LIMITS = st.integers(0, 600)


def must_stay(blob: StoredBlob, kept: set[str]) -> bool:
    return blob.is_pinned or blob.is_loaded or bool(kept.intersection(blob.references))


def blob(name: str, *, size_bytes: int = 10, last_used_s: float = 0.0) -> StoredBlob:
    return StoredBlob(
        sha256=name,
        size_bytes=size_bytes,
        last_used_s=last_used_s,
        references=(name,),
        is_pinned=False,
        is_loaded=False,
    )


def test_nothing_is_evicted_within_the_limit() -> None:
    plan = plan_trim([blob("a"), blob("b")], limit_bytes=20)
    assert plan == TrimPlan(evicted=(), freed_bytes=0, kept_bytes=20)


def test_the_least_recently_used_goes_first() -> None:
    blobs = [blob("new", last_used_s=3), blob("old", last_used_s=1), blob("mid", last_used_s=2)]
    plan = plan_trim(blobs, limit_bytes=10)
    assert [item.sha256 for item in plan.evicted] == ["old", "mid"]


@given(BLOBS, LIMITS, KEPT)
def test_what_is_pinned_loaded_or_kept_is_never_evicted(
    blobs: list[StoredBlob], limit_bytes: int, kept: set[str]
) -> None:
    plan = plan_trim(blobs, limit_bytes=limit_bytes, keep=kept)
    assert not [item for item in plan.evicted if must_stay(item, kept)]


@given(BLOBS, LIMITS, KEPT)
def test_the_rest_fits_the_limit_or_nothing_more_may_go(
    blobs: list[StoredBlob], limit_bytes: int, kept: set[str]
) -> None:
    plan = plan_trim(blobs, limit_bytes=limit_bytes, keep=kept)
    left = [item for item in blobs if item not in plan.evicted]
    assert plan.kept_bytes == sum(item.size_bytes for item in left)
    assert plan.freed_bytes == sum(item.size_bytes for item in plan.evicted)
    assert plan.kept_bytes <= limit_bytes or all(must_stay(item, kept) for item in left)


@given(BLOBS, LIMITS, KEPT)
def test_nothing_goes_that_need_not(
    blobs: list[StoredBlob], limit_bytes: int, kept: set[str]
) -> None:
    plan = plan_trim(blobs, limit_bytes=limit_bytes, keep=kept)
    if plan.evicted:
        assert plan.kept_bytes + plan.evicted[-1].size_bytes > limit_bytes
    may_go = sorted(
        (item.last_used_s for item in blobs if not must_stay(item, kept)),
    )
    assert [item.last_used_s for item in plan.evicted] == may_go[: len(plan.evicted)]


@given(BLOBS, LIMITS)
def test_the_plan_does_not_depend_on_the_order_in_which_files_are_listed(
    blobs: list[StoredBlob], limit_bytes: int
) -> None:
    forth = plan_trim(blobs, limit_bytes=limit_bytes)
    back = plan_trim(blobs[::-1], limit_bytes=limit_bytes)
    assert forth == back
