"""Promises of `smallhold.models.store.layout`: this file holds tests of the store's paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.models.store.layout import StoreLayout, is_digest

ROOT = Path("/srv/models")
LAYOUT = StoreLayout(root=ROOT)
DIGEST = "a" * 64


@given(st.text(max_size=70))
@example("../" + "a" * 61)
@example("a" * 63 + "\n")
@example("A" * 64)
def test_only_a_digest_becomes_the_path_of_a_file(text: str) -> None:
    looks_so = len(text) == 64 and set(text) <= set("0123456789abcdef")
    assert is_digest(text) == looks_so
    for make in (LAYOUT.blob, LAYOUT.use, LAYOUT.damaged):
        if looks_so:
            assert make(text).parent.parent == ROOT
        else:
            with pytest.raises(ConfigError):
                make(text)


@given(st.text(min_size=1, max_size=30))
@example("..")
@example("../../etc/passwd")
@example("/etc/passwd")
@example("a\0b")
@example(".hidden")
@example("a:../b")
def test_no_name_leads_out_of_the_store(name: str) -> None:
    for make in (LAYOUT.record, LAYOUT.old_record, LAYOUT.partial, LAYOUT.lock, LAYOUT.pin):
        try:
            path = make(name)
        except ConfigError:
            continue
        assert Path(os.path.normpath(path)).parent.parent == ROOT


def test_a_record_is_called_after_the_reference() -> None:
    assert LAYOUT.record("tiny:q4_k_m") == ROOT / "records" / "tiny+q4_k_m.json"


def test_the_digest_of_a_blob_is_in_its_path_and_of_no_other() -> None:
    assert LAYOUT.digest_of(LAYOUT.blob(DIGEST)) == DIGEST
    assert LAYOUT.digest_of(LAYOUT.damaged(DIGEST)) is None
    assert LAYOUT.digest_of(ROOT / "blobs" / "sha256-short") is None
    assert LAYOUT.digest_of(Path("/elsewhere/blobs") / f"sha256-{DIGEST}") is None
