"""Promises of `smallhold.models.archives.importing`: this file holds tests of imports."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.archives.conftest import Machine, model, variant

from smallhold.exceptions import (
    ConfigError,
    InvalidArchiveError,
    InvalidGGUFError,
    StoreFullError,
    UnsignedModelError,
)
from smallhold.models.archives import ImportAction, import_models
from smallhold.models.archives.exporting import MIN_SPLIT_BYTES
from smallhold.models.archives.manifest import MANIFEST_NAME, read_manifest
from smallhold.models.archives.tar_members import Member, member_header
from smallhold.models.catalog.catalog import ModelFormat
from smallhold.models.store.store import ModelStore

if TYPE_CHECKING:
    from tests.models.conftest import GGUFMaker

CONTENTS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]), st.binary(min_size=1, max_size=2000), min_size=1
)


@given(contents=CONTENTS, is_split=st.booleans())
@settings(max_examples=25)
def test_what_was_exported_is_imported(*, contents: dict[str, bytes], is_split: bool) -> None:
    with TemporaryDirectory() as folder:
        here, there = (Machine(ModelStore(Path(folder) / name)) for name in ("here", "there"))
        for alias, content in contents.items():
            here.add(alias, content)
        split_bytes = MIN_SPLIT_BYTES if is_split else None
        first, *_ = here.export(Path(folder), split_bytes=split_bytes)
        there.bring(first)
        assert there.contents() == here.contents()
        assert there.models == here.models


@given(st.data())
@settings(max_examples=60)
def test_an_archive_with_a_changed_byte_never_brings_wrong_bytes(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        here, there = (Machine(ModelStore(Path(folder) / name)) for name in ("here", "there"))
        here.add("a", b"weights of a" * 50)
        here.add("b", b"weights of b" * 50)
        (path,) = here.export(Path(folder))
        archive = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(archive) - 1))
        archive[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(archive)
        with suppress(InvalidArchiveError):
            there.bring(path)
        sound = {b"weights of a" * 50, b"weights of b" * 50}
        assert set(there.contents().values()) <= sound
        assert there.store.partials_bytes() == 0


def test_a_model_that_is_known_keeps_what_the_catalog_says_of_it(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"weights")
    there.models["a"] = replace(here.models["a"], title="Known here")
    (path,) = here.export(stick)
    (step,) = there.bring(path).steps
    assert (step.action, step.is_new) == (ImportAction.COPIED, False)
    assert there.models["a"].title == "Known here"
    assert there.contents() == {"a:q4_0": b"weights"}


def test_a_new_file_of_a_known_model_is_added_to_it(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"small")
    here.add("a", b"larger", quantization="Q8_0")
    there.models["a"] = model("a", variant(b"small"))
    (path,) = here.export(stick)
    assert [step.is_new for step in there.bring(path).steps] == [False, True]
    assert [item.quantization for item in there.models["a"].variants] == ["Q4_0", "Q8_0"]
    assert there.contents() == here.contents()


def test_a_model_without_a_known_digest_is_pinned_to_that_of_the_archive(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"weights")
    known = here.models["a"].variants[0]
    unverified = replace(known, sha256=None, size_bytes=None)
    here.models["a"] = replace(here.models["a"], variants=(unverified,))
    (path,) = here.export(stick)
    there.bring(path)
    assert there.models["a"].variants == (known,)


def test_what_is_there_is_passed_over(here: Machine, there: Machine, stick: Path) -> None:
    here.add("a", b"weights of a")
    here.add("b", b"weights of b")
    (path,) = here.export(stick)
    assert [step.action for step in there.bring(path).steps] == [ImportAction.COPIED] * 2
    again = there.bring(path)
    assert [step.action for step in again.steps] == [ImportAction.SKIPPED] * 2
    assert again.copied_bytes == 0


def test_an_interrupted_import_is_finished_by_the_next_one(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"weights of a")
    here.add("b", b"weights of b")
    (path,) = here.export(stick)

    def stop(done_bytes: int, total_bytes: int) -> None:
        if done_bytes == total_bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_models(path, target=there.target, report=stop)
    assert there.contents() == {"a:q4_0": b"weights of a"}
    assert there.store.partials_bytes() == 0
    assert [step.action for step in there.bring(path).steps] == [
        ImportAction.SKIPPED,
        ImportAction.COPIED,
    ]
    assert there.contents() == here.contents()


def test_a_plan_changes_nothing(here: Machine, there: Machine, stick: Path) -> None:
    here.add("a", b"weights")
    (path,) = here.export(stick)
    plan = there.plan(path)
    assert plan.copied_bytes == len(b"weights")
    assert plan.steps[0].is_new
    assert there.models == {}
    assert not there.store.root.exists()


def test_only_some_models_can_be_imported(here: Machine, there: Machine, stick: Path) -> None:
    here.add("a", b"weights of a")
    here.add("b", b"weights of b")
    (path,) = here.export(stick)
    there.bring(path, only=["b"])
    assert there.contents() == {"b:q4_0": b"weights of b"}
    with pytest.raises(ConfigError, match="a:q4_0, b:q4_0"):
        there.bring(path, only=["c"])


def test_two_models_of_the_same_bytes_share_them(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"weights" * 1000)
    here.add("b", b"weights" * 1000)
    (path,) = here.export(stick)
    assert path.stat().st_size < 2 * 7000
    there.bring(path)
    assert there.contents() == here.contents()
    assert len(list((there.store.root / "blobs").iterdir())) == 1


def test_another_file_under_a_known_name_is_refused(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"weights")
    here.add("b", b"weights of b")
    there.models["a"] = model("a", variant(b"other weights"))
    (path,) = here.export(stick)
    with pytest.raises(InvalidArchiveError, match="a:q4_0 is another file"):
        there.bring(path)
    assert there.contents() == {}
    there.bring(path, only=["b"])
    assert there.contents() == {"b:q4_0": b"weights of b"}


def test_changed_bytes_leave_the_models_before_them_and_nothing_else(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"weights of a")
    here.add("b", b"weights of b")
    (path,) = here.export(stick)
    path.write_bytes(path.read_bytes().replace(b"weights of b", b"WEIGHTS OF B"))
    with pytest.raises(InvalidArchiveError, match="b:q4_0 were changed"):
        there.bring(path)
    assert there.contents() == {"a:q4_0": b"weights of a"}
    assert set(there.models) == {"a"}
    assert there.store.partials_bytes() == 0


def test_a_full_disk_is_told_before_anything_is_copied(
    here: Machine, stick: Path, tmp_path: Path
) -> None:
    here.add("a", b"weights")
    (path,) = here.export(stick)
    full = Machine(ModelStore(tmp_path / "full", free_bytes=lambda _: 5))
    with pytest.raises(StoreFullError):
        full.bring(path)
    assert not full.store.root.exists()


def test_unknown_models_need_a_signature_where_signatures_are_required(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"weights of a")
    here.add("b", b"weights of b")
    there.models["a"] = here.models["a"]
    there.refusal = "it is not signed"
    (path,) = here.export(stick)
    with pytest.raises(UnsignedModelError, match="b:q4_0"):
        there.bring(path)
    assert there.contents() == {}
    there.bring(path, only=["a"])
    assert set(there.models) == {"a"}


def test_an_unknown_gguf_file_must_be_a_sound_one(
    here: Machine, there: Machine, stick: Path, gguf: GGUFMaker
) -> None:
    for content, is_sound in ((gguf.model(), True), (b"no model at all", False)):
        name = f"sound-{is_sound}".lower()
        made = replace(variant(content), format=ModelFormat.GGUF)
        here.add(name, content)
        here.models[name] = model(name, made)
        (path,) = here.export(stick / f"{name}.tar", name)
        if is_sound:
            there.bring(path)
            continue
        with pytest.raises(InvalidGGUFError):
            there.bring(path)
    assert set(there.contents()) == {"sound-true:q4_0"}
    assert set(there.models) == {"sound-true"}


def test_a_bomb_of_holes_is_refused_for_want_of_room(
    here: Machine, there: Machine, stick: Path
) -> None:
    here.add("a", b"weights")
    (path,) = here.export(stick)
    text = path.read_bytes()
    size = 1 << 41
    manifest = json.loads(text[512 : text.index(b"\0", 512)])
    manifest["files"][0]["size_bytes"] = size
    manifest["catalog"]["models"]["a"]["variants"][0]["size_bytes"] = size
    bomb = stick / "bomb.tar"
    data = json.dumps(manifest).encode()
    member = Member(name=MANIFEST_NAME, size_bytes=len(data))
    read = read_manifest(data, path="bomb")
    head = member_header(member) + data + bytes(member.padding_bytes)
    bomb.write_bytes(head + member_header(read.files[0].member))
    os.truncate(bomb, read.archive_bytes(manifest_bytes=len(data)))
    with pytest.raises(StoreFullError):
        there.bring(bomb)
    assert not there.store.root.exists()
