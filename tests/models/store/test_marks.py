"""Promises of `smallhold.models.store.marks`: this file holds tests of uses and pins."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.models.store.layout import StoreLayout
from smallhold.models.store.marks import StoreMarks

DIGEST, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(root=tmp_path / "models")


def test_a_use_is_remembered_with_its_time(layout: StoreLayout) -> None:
    now_s = 1_000_000.5
    marks = StoreMarks(layout, now_s=lambda: now_s)
    assert marks.last_used_s(DIGEST) is None
    marks.touch(DIGEST)
    assert marks.last_used_s(DIGEST) == now_s
    now_s += 7
    marks.touch(DIGEST)
    assert marks.last_used_s(DIGEST) == now_s
    marks.forget_use(DIGEST)
    assert marks.last_used_s(DIGEST) is None


def test_a_store_that_cannot_be_written_is_used_without_a_note(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    marks = StoreMarks(StoreLayout(root=tmp_path / "models"))
    marks.touch(DIGEST)
    assert marks.last_used_s(DIGEST) is None


def test_a_pin_holds_until_it_is_taken_away(layout: StoreLayout) -> None:
    marks = StoreMarks(layout)
    assert not marks.is_pinned("tiny:q4_0")
    marks.unpin("tiny:q4_0")
    marks.pin("tiny:q4_0")
    assert marks.is_pinned("tiny:q4_0")
    assert not marks.is_pinned("tiny:q8_0")
    marks.unpin("tiny:q4_0")
    assert not marks.is_pinned("tiny:q4_0")


def test_uses_of_models_that_are_gone_are_found(layout: StoreLayout) -> None:
    marks = StoreMarks(layout)
    marks.touch(DIGEST)
    marks.touch(OTHER)
    assert marks.uses_but(frozenset({DIGEST})) == (layout.use(OTHER),)
