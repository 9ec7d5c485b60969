"""Promises of `smallhold.models.pulling.pull`:
this file holds tests of fetching models into the store.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from smallhold.exceptions import (
    CorruptDownloadError,
    InvalidGGUFError,
    ModelNotInstalledError,
    SmallholdError,
    SourcesExhaustedError,
    SourceUnavailableError,
    StoreBusyError,
    StoreFullError,
    StoreNotWritableError,
)
from smallhold.models.catalog.source_specs import FileSpec, SourceSpec
from smallhold.models.elsewhere import ForeignPlaces
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.pulling.pull import PullPolicy, pull
from smallhold.models.pulling.pull_progress import REPORT_EVERY_S, PullPhase, PullProgress
from smallhold.models.sources import Arrival, FetchJob, Source, SourceOpener
from smallhold.models.store.store import ModelStore

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker, GGUFMaker

pytestmark = pytest.mark.anyio

CONTENT = random.Random(1).randbytes(300_000)  # noqa: S311 - only filling
SLOW_PULL = """
import sys, time
from pathlib import Path
import anyio
from smallhold.models import CatalogEntry, FileSpec, ModelStore, pull
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.sources import Arrival

root, sha256, content, log = sys.argv[1:]
entry = CatalogEntry(
    alias="tiny", title="", family="", parameter_count=1, licence="", context_tokens=1,
    quantization="F32", size_bytes=300_000, sha256=sha256, call_dialect="hermes",
    sources=(FileSpec(path="/slow"),),
)

class SlowSource:
    name = "slow"
    async def fetch(self, job):
        with open(log, "a") as file:
            file.write("fetch\\n")
        job.partial.restart(PartialNotes(source=self.name))
        data = Path(content).read_bytes()
        for start in range(0, len(data), 10_000):
            job.partial.append(data[start : start + 10_000])
            await anyio.sleep(0.03)
        return Arrival()

phases = set()
async def main():
    await pull(entry, store=ModelStore(Path(root)), open_source=lambda spec: SlowSource(),
               on_progress=lambda progress: phases.add(progress.phase.value))
anyio.run(main)
print(",".join(sorted(phases)))
"""


@dataclass
class ScriptedSource:
    """A source that appends given bytes after what is there, and may then fail."""

    name: str
    content: bytes
    is_appending: bool = False
    announced: str | None = None
    revision: str | None = None
    error: SmallholdError | None = None
    pause_s: float = 0.0
    started_at: list[int] = field(default_factory=list[int])

    async def fetch(self, job: FetchJob) -> Arrival:
        start = job.partial.size_bytes if self.is_appending else 0
        self.started_at.append(start)
        if job.size_bytes is not None:
            job.require_room(job.size_bytes - start)
        job.partial.resume_at(start, PartialNotes(source=self.name))
        for place in range(start, len(self.content), 100_000):
            await anyio.sleep(self.pause_s)
            job.partial.append(self.content[place : place + 100_000])
            job.report(job.partial.size_bytes, job.size_bytes)
        if self.error is not None:
            raise self.error
        return Arrival(sha256=self.announced, revision=self.revision)


def opener(*sources: Source) -> SourceOpener:
    left = iter(sources)

    def open_source(spec: SourceSpec) -> Source:
        del spec
        return next(left)

    return open_source


def specs(count: int) -> Sequence[SourceSpec]:
    return [FileSpec(path=f"/{number}") for number in range(count)]


def unavailable(name: str) -> SourceUnavailableError:
    return SourceUnavailableError(source=name, reason="is closed today")


async def test_a_pulled_model_is_in_the_store_with_its_progress_told(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    seen: list[PullProgress] = []
    source = ScriptedSource("a", CONTENT)
    path = await pull(entry, store=store, open_source=opener(source), on_progress=seen.append)
    assert path.read_bytes() == CONTENT
    assert store.find(entry) == path
    phases = list(dict.fromkeys(progress.phase for progress in seen))
    assert phases == [PullPhase.FETCHING, PullPhase.VERIFYING, PullPhase.DONE]
    fetched = [item.done_bytes for item in seen if item.phase is PullPhase.FETCHING]
    assert fetched == sorted(fetched)
    assert {item.total_bytes for item in seen} == {len(CONTENT)}
    assert seen[-1].done_bytes == len(CONTENT)


async def test_a_model_that_is_there_needs_no_source(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    first = await pull(entry, store=store, open_source=opener(ScriptedSource("a", CONTENT)))
    assert await pull(entry, store=store, open_source=opener()) == first


async def test_a_source_that_fails_is_followed_by_the_next(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT, *specs(2))
    broken = ScriptedSource("broken", CONTENT[:9], error=unavailable("broken"))
    seen: list[PullProgress] = []
    await pull(
        entry,
        store=store,
        open_source=opener(broken, ScriptedSource("good", CONTENT)),
        on_progress=seen.append,
    )
    failed = [progress for progress in seen if progress.phase is PullPhase.SOURCE_FAILED]
    assert [(item.source, item.detail) for item in failed] == [
        ("broken", "broken: is closed today")
    ]
    assert store.installed()[0].source == "good"


async def test_what_a_branch_stood_for_is_told_and_recorded(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    seen: list[PullProgress] = []
    source = ScriptedSource("a", CONTENT, revision="c0ffee")
    await pull(
        make_entry(CONTENT), store=store, open_source=opener(source), on_progress=seen.append
    )
    assert store.installed()[0].source == "a@c0ffee"
    assert [item.revision for item in seen if item.phase is PullPhase.DONE] == ["c0ffee"]


async def test_a_model_that_another_program_has_is_used_where_it_lies(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    theirs = tmp_path / "ollama" / "blobs" / f"sha256-{entry.sha256}"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(CONTENT)
    policy = PullPolicy(places=ForeignPlaces(ollama=(tmp_path / "ollama",)))
    seen: list[PullProgress] = []
    path = await pull(
        entry, store=store, open_source=opener(), on_progress=seen.append, policy=policy
    )
    assert path == theirs
    assert store.find(entry) == theirs
    assert [item.phase for item in seen] == [PullPhase.VERIFYING, PullPhase.DONE]
    assert await pull(entry, store=store, open_source=opener()) == theirs


async def test_a_wrong_file_of_another_program_is_fetched_instead(
    tmp_path: Path, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    theirs = tmp_path / "ollama" / "blobs" / f"sha256-{entry.sha256}"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(CONTENT[::-1])
    policy = PullPolicy(places=ForeignPlaces(ollama=(tmp_path / "ollama",)))
    source = ScriptedSource("a", CONTENT)
    path = await pull(entry, store=store, open_source=opener(source), policy=policy)
    assert path == store.blob_path(entry.sha256 or "")
    assert theirs.read_bytes() == CONTENT[::-1]


async def test_a_pull_makes_the_store_keep_to_its_limit(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    old, new = make_entry(CONTENT, alias="old"), make_entry(CONTENT[::-1], alias="new")
    await pull(old, store=store, open_source=opener(ScriptedSource("a", CONTENT)))
    seen: list[PullProgress] = []
    await pull(
        new,
        store=store,
        open_source=opener(ScriptedSource("a", CONTENT[::-1])),
        on_progress=seen.append,
        policy=PullPolicy(cache_limit_bytes=len(CONTENT) + 1),
    )
    assert store.find(old) is None
    assert store.find(new) is not None
    assert [item.detail for item in seen if item.phase is PullPhase.EVICTED] == ["old:f32"]


async def test_a_model_that_is_removed_as_soon_as_it_came_is_told_to_be_gone(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    old, new = make_entry(CONTENT, alias="old"), make_entry(CONTENT[::-1], alias="new")
    await pull(old, store=store, open_source=opener(ScriptedSource("a", CONTENT)))

    def remove(step: PullProgress) -> None:
        if step.phase is PullPhase.EVICTED:
            store.remove("new")

    with pytest.raises(ModelNotInstalledError):
        await pull(
            new,
            store=store,
            open_source=opener(ScriptedSource("a", CONTENT[::-1])),
            on_progress=remove,
            policy=PullPolicy(cache_limit_bytes=len(CONTENT) + 1),
        )


async def test_when_all_sources_fail_the_error_lists_each_with_its_reason(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT, *specs(2))
    sources = [ScriptedSource(name, b"x", error=unavailable(name)) for name in ("a", "b")]
    with pytest.raises(SourcesExhaustedError) as caught:
        await pull(entry, store=store, open_source=opener(*sources))
    assert [str(failure) for failure in caught.value.failures] == [
        "a: is closed today",
        "b: is closed today",
    ]


async def test_wrong_bytes_never_become_a_model(store: ModelStore, make_entry: EntryMaker) -> None:
    entry = make_entry(CONTENT)
    wrong = CONTENT[:-1] + b"\0"
    with pytest.raises(SourcesExhaustedError) as caught:
        await pull(entry, store=store, open_source=opener(ScriptedSource("a", wrong)))
    (failure,) = caught.value.failures
    assert isinstance(failure, CorruptDownloadError)
    assert hashlib.sha256(wrong).hexdigest() in failure.actual
    assert store.find(entry) is None
    assert store.partial(entry).size_bytes == 0


async def test_a_resumed_download_that_does_not_match_is_fetched_once_more_as_a_whole(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    store.partial(entry).restart(PartialNotes(source="a"))
    store.partial(entry).append(b"rotten half")
    source = ScriptedSource("a", CONTENT, is_appending=True)
    path = await pull(entry, store=store, open_source=opener(source))
    assert source.started_at == [11, 0]
    assert path.read_bytes() == CONTENT


async def test_an_interrupted_pull_keeps_what_arrived(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    broken = ScriptedSource("a", CONTENT[:1000], error=unavailable("a"))
    with pytest.raises(SourcesExhaustedError):
        await pull(entry, store=store, open_source=opener(broken))
    assert store.partial(entry).size_bytes == 1000


async def test_a_cancelled_pull_releases_its_lock_and_keeps_what_arrived(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    with anyio.CancelScope() as scope:
        await pull(
            entry,
            store=store,
            open_source=opener(ScriptedSource("a", CONTENT, pause_s=REPORT_EVERY_S)),
            on_progress=lambda item: scope.cancel() if item.done_bytes else None,
        )
    assert scope.cancelled_caught
    assert store.partial(entry).size_bytes == 100_000
    again = ScriptedSource("a", CONTENT, is_appending=True)
    await pull(entry, store=store, open_source=opener(again), busy_limit_s=0)
    assert again.started_at == [100_000]


async def test_a_file_without_digest_in_the_catalog_must_match_what_its_source_announced(
    store: ModelStore, make_entry: EntryMaker, gguf: GGUFMaker
) -> None:
    entry = make_entry(b"", is_verified=False, size_bytes=None)
    source = ScriptedSource("a", gguf.model(), announced="0" * 64)
    with pytest.raises(SourcesExhaustedError, match="wrong bytes"):
        await pull(entry, store=store, open_source=opener(source))


async def test_a_file_that_nobody_can_vouch_for_must_at_least_be_a_sound_model(
    store: ModelStore, make_entry: EntryMaker, gguf: GGUFMaker
) -> None:
    entry = make_entry(b"", *specs(2), is_verified=False, size_bytes=None)
    page = ScriptedSource("page", b"<html>Please log in</html>")
    model = ScriptedSource("model", gguf.model())
    failures: list[str] = []
    path = await pull(
        entry,
        store=store,
        open_source=opener(page, model),
        on_progress=lambda item: failures.append(item.detail) if item.detail else None,
    )
    assert path.read_bytes() == gguf.model()
    assert "is not a sound GGUF file" in failures[0]
    (installed,) = store.installed()
    assert not installed.is_verified
    assert installed.sha256 == hashlib.sha256(gguf.model()).hexdigest()


async def test_a_page_in_place_of_a_model_is_an_error_of_the_file(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(b"", is_verified=False, size_bytes=None)
    with pytest.raises(SourcesExhaustedError) as caught:
        await pull(entry, store=store, open_source=opener(ScriptedSource("a", b"<html>")))
    assert isinstance(caught.value.failures[0], InvalidGGUFError)


async def test_a_disk_without_room_is_told_before_the_first_byte(
    tmp_path: Path, make_entry: EntryMaker
) -> None:
    store = ModelStore(tmp_path, free_bytes=lambda _: 1000)
    entry = make_entry(CONTENT)
    with pytest.raises(StoreFullError) as caught:
        await pull(entry, store=store, open_source=opener(ScriptedSource("a", CONTENT)))
    assert caught.value.free_bytes == 1000
    assert store.partial(entry).size_bytes == 0


async def test_a_store_that_cannot_be_written_says_so(
    tmp_path: Path, make_entry: EntryMaker
) -> None:
    (tmp_path / "models").write_text("no folder")
    store = ModelStore(tmp_path / "models")
    with pytest.raises(StoreNotWritableError, match="SMALLHOLD_HOME"):
        await pull(make_entry(CONTENT), store=store, open_source=opener())


async def test_waiting_for_another_pull_ends_after_the_limit(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    lock = store.lock(entry)
    Path(lock.lock_file).parent.mkdir(parents=True)
    seen: list[PullProgress] = []
    with lock, pytest.raises(StoreBusyError) as caught:
        await pull(
            entry, store=store, open_source=opener(), on_progress=seen.append, busy_limit_s=0.3
        )
    assert caught.value.waited_s >= 0.3
    assert {progress.phase for progress in seen} == {PullPhase.WAITING}


async def test_two_pulls_in_one_process_fetch_once(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    source = ScriptedSource("a", CONTENT)
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(lambda: pull(entry, store=store, open_source=lambda _: source))
    assert source.started_at == [0]
    assert store.find(entry)


class Child:
    """A process that pulls slowly."""

    def __init__(self, tmp_path: Path, store: ModelStore) -> None:
        self.log = tmp_path / "fetches"
        self._content = tmp_path / "content"
        self._content.write_bytes(CONTENT)
        self._root = store.root

    def start(self) -> subprocess.Popen[str]:
        sha256 = hashlib.sha256(CONTENT).hexdigest()
        arguments = [str(self._root), sha256, str(self._content), str(self.log)]
        return subprocess.Popen(
            [sys.executable, "-c", SLOW_PULL, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def child(tmp_path: Path, store: ModelStore) -> Child:
    return Child(tmp_path, store)


def wait_for(condition: Callable[[], bool], *, limit_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_two_processes_fetch_once_and_the_second_tells_that_it_waits(
    store: ModelStore, child: Child, make_entry: EntryMaker
) -> None:
    first = child.start()
    wait_for(lambda: store.partial(make_entry(CONTENT)).size_bytes > 0)
    second = child.start()
    outputs = [process.communicate(timeout=60) for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0], outputs
    assert child.log.read_text() == "fetch\n"
    assert outputs[0][0].strip() == "done,fetching,verifying"
    assert outputs[1][0].strip() == "done,waiting"


async def test_a_pull_goes_on_where_a_killed_process_was(
    store: ModelStore, child: Child, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT)
    process = child.start()
    wait_for(lambda: store.partial(entry).size_bytes >= 50_000)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert store.find(entry) is None
    source = ScriptedSource("a", CONTENT, is_appending=True)
    path = await pull(entry, store=store, open_source=opener(source), busy_limit_s=5)
    assert path.read_bytes() == CONTENT
    (start,) = source.started_at
    assert start >= 50_000


def test_a_write_that_the_system_refuses_for_size_is_a_full_store_and_keeps_the_rest(
    store: ModelStore, child: Child, make_entry: EntryMaker
) -> None:
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            + SLOW_PULL,
            str(store.root),
            hashlib.sha256(CONTENT).hexdigest(),
            str(child.log.with_name("content")),
            str(child.log),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert "StoreFullError" in process.stderr
    assert "what arrived is kept" in process.stderr
    assert store.partial(make_entry(CONTENT)).size_bytes == 100_000
