from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.sessions.conftest import LEASE_S, Desk, agent, asked, user

from smallhold.exceptions import (
    ConfigError,
    NewerFormatError,
    SessionExistsError,
    SessionImportError,
)
from smallhold.messages import JsonObject
from smallhold.state.sessions import Entry, EntryKind, Session, change_between
from smallhold.state.sessions.transfer import entry_line, head_line, read_lines

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@st.composite
def logs(draw: st.DrawFn) -> tuple[Entry, ...]:
    """Logs of a few runs, ended, failed or still under way at the end."""
    entries: list[Entry] = []
    conversation = ()

    def add(run: str, kind: EntryKind, payload: JsonObject) -> None:
        seq = len(entries) + 1
        entries.append(Entry(seq=seq, run=run, kind=kind, created_s=float(seq), payload=payload))

    runs = draw(st.integers(1, 3))
    for number in range(runs):
        run, text = f"r{number}", draw(TEXTS)
        add(run, EntryKind.MESSAGE, asked(text))
        for _ in range(draw(st.integers(0, 2))):
            add(run, EntryKind.DECISION, {"v": 1, "calls": []})
        end = draw(st.sampled_from(["ended", "failed", "open"]))
        if end == "ended":
            after = (*conversation, user(text), agent(draw(TEXTS)))
            change = change_between(conversation, after).to_json()
            add(run, EntryKind.ENDED, {"v": 1, "conversation": change})
            conversation = after
        elif end == "failed" or number + 1 < runs:
            add(run, EntryKind.FAILED, {"v": 1, "error": "X"})
    return tuple(entries)


def written(entries: tuple[Entry, ...]) -> list[str]:
    session = Session(id="s", title="t", created_s=1, updated_s=1, entries=len(entries), turns=1)
    return [head_line(session), *map(entry_line, entries)]


@given(logs())
def test_what_was_exported_is_read_back_as_it_was(entries: tuple[Entry, ...]) -> None:
    assert read_lines(written(entries)) == ("s", "t", entries)


@given(logs(), st.data())
def test_an_export_that_lost_a_line_is_refused(
    entries: tuple[Entry, ...], data: st.DataObject
) -> None:
    lines = written(entries)
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    with pytest.raises(SessionImportError):
        read_lines(lines)


@given(logs())
def test_each_line_is_one_line_for_any_reader(entries: tuple[Entry, ...]) -> None:
    for line in written(entries):
        assert line.isascii()
        assert len(line.splitlines()) == 1


def changed_line(desk_lines: list[str], number: int, **values: object) -> list[str]:
    line = json.loads(desk_lines[number - 1]) | values
    return [*desk_lines[: number - 1], json.dumps(line), *desk_lines[number:]]


SOUND = written((
    Entry(seq=1, run="r", kind=EntryKind.MESSAGE, created_s=1, payload=asked("a")),
    Entry(seq=2, run="r", kind=EntryKind.DECISION, created_s=1, payload={"v": 1}),
    Entry(seq=3, run="r", kind=EntryKind.FAILED, created_s=1, payload={"v": 1}),
    Entry(seq=4, run="q", kind=EntryKind.MESSAGE, created_s=1, payload=asked("b")),
))  # fmt: skip

TOO_MUCH_KEPT: JsonObject = {"v": 1, "conversation": {"keep": 3, "then": []}}


@pytest.mark.parametrize(
    ("lines", "number", "problem"),
    [
        ([], 1, "no JSON"),
        (["{"], 1, "no JSON"),
        (["[" * 100_000], 1, "no JSON"),
        (["[]"], 1, "value"),
        (changed_line(SOUND, 1, entries=3), 5, "comes more"),
        (changed_line(SOUND, 1, entries=5), 6, "after 4 of 5"),
        (changed_line(SOUND, 1, entries=10**9), 1, "entries"),
        (changed_line(SOUND, 1, id=""), 1, "id"),
        (changed_line(SOUND, 1, more=1), 1, "more"),
        (changed_line(SOUND, 2, seq=2), 2, "1 comes next"),
        (changed_line(SOUND, 3, seq=4), 3, "2 comes next"),
        (changed_line(SOUND, 3, kind="song"), 3, "kind"),
        (changed_line(SOUND, 3, run="x\n"), 3, "run"),
        (changed_line(SOUND, 3, created_s="now"), 3, "created_s"),
        (changed_line(SOUND, 3, payload=[]), 3, "payload"),
        (changed_line(SOUND, 3, payload={}), 3, "payload.v"),
        (changed_line(SOUND, 3, payload={"v": 2}), 3, "payload.v"),
        (changed_line(SOUND, 3, run="x"), 3, "begins with a message"),
        (changed_line(SOUND, 3, kind="message"), 3, "begins with a message"),
        (changed_line(SOUND, 4, kind="result"), 5, "before the one before it has ended"),
        (changed_line(SOUND, 5, run="r"), 5, "begins with a message"),
        (changed_line(SOUND, 2, payload={"v": 1}), 2, "the value"),
        (changed_line(SOUND, 4, kind="ended", payload=TOO_MUCH_KEPT), 4, "keeps 3 of 0"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_sound_is_named(lines: list[str], number: int, problem: str) -> None:
    with pytest.raises(SessionImportError, match=problem) as caught:
        read_lines(lines)
    assert caught.value.line == number


def test_a_newer_export_is_refused_by_name_whatever_else_is_in_it() -> None:
    with pytest.raises(NewerFormatError, match="newer version"):
        read_lines(changed_line(SOUND, 1, format=2, more="unknown"))


def test_a_check_of_one_s_own_is_asked_about_each_entry() -> None:
    def check(entry: Entry) -> None:
        if entry.seq == 2:
            msg = "not this one"
            raise ValueError(msg)

    with pytest.raises(SessionImportError, match="not this one") as caught:
        read_lines(SOUND, check=check)
    assert caught.value.line == 3


def test_a_line_of_endless_length_is_not_read() -> None:
    with pytest.raises(SessionImportError, match="longer than"):
        read_lines(["x" * 16_000_001])


async def test_a_session_that_is_exported_and_imported_is_the_same(desk: Desk) -> None:
    await desk.turns("s", ["a", "b\nc\u2028d"])
    lines = await desk.store.export_lines("s")
    entries = await desk.store.entries("s")
    await desk.store.delete("s")
    imported = await desk.store.import_lines(lines)
    assert (imported.id, imported.turns, imported.title) == ("s", 2, "a")
    assert await desk.store.entries("s") == entries
    assert await desk.store.export_lines("s") == lines
    assert (await desk.begin("s")).conversation[0] == user("a")


async def test_an_imported_run_that_has_not_ended_can_be_gone_on_with(desk: Desk) -> None:
    log = await desk.interrupted("s", "a")
    lines = await desk.store.export_lines("s")
    other = desk.state.for_tenant("other").sessions
    imported = await other.import_lines(lines)
    assert imported.open_run == log.run
    resumed = await other.claim(log.run, lease_s=LEASE_S)
    assert resumed.entries[0].payload == asked("a")


async def test_a_session_is_never_imported_over_another(desk: Desk) -> None:
    await desk.turn("s", "a")
    lines = await desk.store.export_lines("s")
    with pytest.raises(SessionExistsError, match="Choose another id"):
        await desk.store.import_lines(lines)
    copied = await desk.store.import_lines(lines, to="t")
    runs = {run.id for name in ("s", "t") for run in await desk.store.runs(name)}
    assert (copied.id, len(runs)) == ("t", 2)
    with pytest.raises(ConfigError):
        await desk.store.import_lines(lines, to="")


async def test_nothing_of_an_export_with_a_bad_line_is_stored(desk: Desk) -> None:
    await desk.turns("s", ["a", "b"])
    lines = list(await desk.store.export_lines("s"))
    entry = json.loads(lines[-1])
    lines[-1] = json.dumps(entry | {"kind": "song"})
    with pytest.raises(SessionImportError):
        await desk.store.import_lines(lines, to="t")
    assert [session.id for session in await desk.store.list()] == ["s"]


def test_an_id_of_control_characters_is_a_bad_line_and_no_fault_of_the_caller() -> None:
    head = replace(
        Session(id="a\tb", title="", created_s=1, updated_s=1, entries=1, turns=1), entries=1
    )
    entry = Entry(seq=1, run="r", kind=EntryKind.MESSAGE, created_s=1, payload=asked("a"))
    assert read_lines([head_line(head), entry_line(entry)])[0] == "a\tb"
