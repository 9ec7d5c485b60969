from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.snapshots import SnapshotStore, folder_name, model_fingerprint
from smallhold.engine.tokens import Tokens

TOKENS = np.asarray([1, 2, 3], dtype=np.int32)
STATE = bytes(range(256))


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(folder=tmp_path / "kv", fingerprint=b"f" * 32, limit_bytes=10_000)


def ids(*tokens: int) -> Tokens:
    return np.asarray(tokens, dtype=np.int32)


def files_in(store: SnapshotStore) -> list[Path]:
    return sorted(store.folder.iterdir())


def test_a_snapshot_comes_back_as_it_was_saved(store: SnapshotStore) -> None:
    assert not store.holds(TOKENS, variant="")
    store.save(TOKENS, STATE, variant="")
    assert store.holds(TOKENS, variant="")
    assert store.load(TOKENS, variant="") == STATE


def test_a_snapshot_is_of_exactly_its_tokens(store: SnapshotStore) -> None:
    store.save(TOKENS, STATE, variant="")
    assert store.load(TOKENS[:2], variant="") is None
    assert store.load(ids(*TOKENS, 4), variant="") is None


def test_another_model_finds_nothing(store: SnapshotStore) -> None:
    store.save(TOKENS, STATE, variant="")
    assert replace(store, fingerprint=b"g" * 32).load(TOKENS, variant="") is None


def test_a_snapshot_of_another_adapter_is_not_found(store: SnapshotStore) -> None:
    store.save(TOKENS, STATE, variant="pirate")
    assert store.load(TOKENS, variant="") is None
    assert not store.holds(TOKENS, variant="")
    assert store.load(TOKENS, variant="pirate") == STATE


def test_a_snapshot_of_another_adapter_under_our_name_is_ignored_and_removed(
    store: SnapshotStore, tmp_path: Path
) -> None:
    foreign = replace(store, folder=tmp_path / "foreign")
    store.save(TOKENS, STATE, variant="")
    foreign.save(TOKENS, STATE, variant="pirate")
    files_in(foreign)[0].replace(files_in(store)[0])
    assert store.load(TOKENS, variant="") is None
    assert not store.holds(TOKENS, variant="")


def test_a_state_may_be_a_view_of_memory(store: SnapshotStore) -> None:
    store.save(TOKENS, memoryview(bytearray(STATE)), variant="")
    assert store.load(TOKENS, variant="") == STATE


def test_a_snapshot_of_another_model_under_our_name_is_ignored_and_removed(
    store: SnapshotStore, tmp_path: Path
) -> None:
    foreign = replace(store, folder=tmp_path / "foreign", fingerprint=b"g" * 32)
    store.save(TOKENS, STATE, variant="")
    foreign.save(TOKENS, STATE, variant="")
    files_in(foreign)[0].replace(files_in(store)[0])
    assert store.load(TOKENS, variant="") is None
    assert not store.holds(TOKENS, variant="")


@pytest.mark.parametrize("size", [0, 3, 7, 50, 71, 100, len(STATE) + 70])
def test_a_truncated_snapshot_is_ignored_and_removed(store: SnapshotStore, size: int) -> None:
    store.save(TOKENS, STATE, variant="")
    os.truncate(files_in(store)[0], size)
    assert store.load(TOKENS, variant="") is None
    assert files_in(store) == []


@given(place=st.integers(0, 70 + len(STATE)), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_spoils_a_snapshot(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    store = SnapshotStore(
        folder=tmp_path_factory.mktemp("kv"), fingerprint=b"f" * 32, limit_bytes=10_000
    )
    store.save(TOKENS, STATE, variant="")
    file = files_in(store)[0]
    data = bytearray(file.read_bytes())
    data[place] ^= 1 << bit
    file.write_bytes(data)
    assert store.load(TOKENS, variant="") is None
    assert not file.exists()


def test_snapshots_take_no_more_than_their_share_of_the_disk(store: SnapshotStore) -> None:
    for number in range(100):
        store.save(ids(number), STATE, variant="")
        assert sum(file.stat().st_size for file in files_in(store)) <= store.limit_bytes
    assert store.load(ids(99), variant="") == STATE
    assert len(files_in(store)) == store.limit_bytes // (len(STATE) + 71)


def test_the_snapshot_unused_for_longest_goes_first(store: SnapshotStore) -> None:
    small = replace(store, limit_bytes=2 * (len(STATE) + 71))
    for age_s, token in ((30, 1), (20, 2)):
        small.save(ids(token), STATE, variant="")
        made = next(file for file in files_in(small) if file.stat().st_mtime > 1e9)
        os.utime(made, (1e9 - age_s, 1e9 - age_s))
    assert small.load(ids(1), variant="") == STATE
    small.save(ids(3), STATE, variant="")
    assert [small.holds(ids(token), variant="") for token in (1, 2, 3)] == [True, False, True]


def test_a_snapshot_larger_than_the_share_is_not_kept_and_pushes_nothing_out(
    store: SnapshotStore,
) -> None:
    store.save(TOKENS, STATE, variant="")
    store.save(ids(9), bytes(store.limit_bytes), variant="")
    assert not store.holds(ids(9), variant="")
    assert store.holds(TOKENS, variant="")


def test_what_a_killed_process_left_half_written_gives_way_too(store: SnapshotStore) -> None:
    store.folder.mkdir()
    left = store.folder / "left.part"
    left.write_bytes(bytes(store.limit_bytes))
    store.save(TOKENS, STATE, variant="")
    assert not left.exists()
    assert store.holds(TOKENS, variant="")


def test_a_disk_that_refuses_costs_only_the_speed(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    store = SnapshotStore(folder=blocked / "kv", fingerprint=b"f" * 32, limit_bytes=10_000)
    store.save(TOKENS, STATE, variant="")
    assert store.load(TOKENS, variant="") is None
    store.discard(TOKENS, variant="")


def test_a_write_that_fails_leaves_nothing_behind(store: SnapshotStore) -> None:
    store.save(TOKENS, STATE, variant="")
    place = files_in(store)[0]
    store.discard(TOKENS, variant="")
    (place / "in the way").mkdir(parents=True)
    store.save(TOKENS, STATE, variant="")
    assert files_in(store) == [place]


def test_a_discarded_snapshot_is_gone(store: SnapshotStore) -> None:
    store.save(TOKENS, STATE, variant="")
    store.discard(TOKENS, variant="")
    store.discard(TOKENS, variant="")
    assert not store.holds(TOKENS, variant="")


def test_only_the_owner_may_read_snapshots(store: SnapshotStore) -> None:
    store.save(TOKENS, STATE, variant="")
    assert store.folder.stat().st_mode & 0o077 == 0
    assert files_in(store)[0].stat().st_mode & 0o077 == 0


def test_a_fingerprint_tells_models_engines_and_contexts_apart(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"one")
    first = model_fingerprint(model, engine_version="1", context="f16")
    assert first == model_fingerprint(model, engine_version="1", context="f16")
    assert first != model_fingerprint(model, engine_version="2", context="f16")
    assert first != model_fingerprint(model, engine_version="1", context="f32")
    model.write_bytes(b"other")
    assert first != model_fingerprint(model, engine_version="1", context="f16")


def test_a_stored_model_is_known_by_its_digest_wherever_the_store_lies(tmp_path: Path) -> None:
    prints: set[bytes] = set()
    for folder in ("a", "b"):
        blob = tmp_path / folder / f"sha256-{'0' * 64}"
        blob.parent.mkdir()
        blob.write_bytes(folder.encode())
        link = tmp_path / folder / "model.gguf"
        link.symlink_to(blob)
        prints |= {
            model_fingerprint(path, engine_version="1", context="f16") for path in (blob, link)
        }
    assert len(prints) == 1


def test_a_model_keeps_its_folder_when_its_file_changes(tmp_path: Path) -> None:
    model, other = tmp_path / "model.gguf", tmp_path / "other.gguf"
    model.write_bytes(b"one")
    other.write_bytes(b"one")
    name = folder_name(model)
    assert name != folder_name(other)
    model.write_bytes(b"another")
    assert folder_name(model) == name


def test_what_no_version_reads_any_more_gives_way_first(store: SnapshotStore) -> None:
    old = replace(store, fingerprint=b"g" * 32)
    old.save(ids(0), STATE, variant="")
    os.utime(files_in(store)[0], (1e9, 1e9))
    small = replace(store, limit_bytes=2 * (len(STATE) + 71))
    for token in (1, 2):
        small.save(ids(token), STATE, variant="")
    assert not old.holds(ids(0), variant="")
    assert [small.holds(ids(token), variant="") for token in (1, 2)] == [True, True]
