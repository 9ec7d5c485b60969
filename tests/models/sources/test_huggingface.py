"""Promises of `smallhold.models.sources.huggingface`: this file holds tests against a real hub.

The hub is ours, on loopback, and can be told to misbehave.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from tests.models.sources.model_server import COMMIT

from smallhold.exceptions import CorruptDownloadError, SourcesExhaustedError, SourceUnavailableError
from smallhold.models.catalog.source_specs import HuggingFaceSpec
from smallhold.models.pulling.partial_file import PartialFile, PartialNotes
from smallhold.models.pulling.pull import pull
from smallhold.models.sources.backoff import ATTEMPTS
from smallhold.models.sources.huggingface import HuggingFaceSource
from smallhold.models.sources.protocol import Arrival, FetchJob, SourceOpener
from smallhold.models.sources.transfer_settings import TransferSettings
from smallhold.models.store.store import ModelStore

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker, GGUFMaker
    from tests.models.sources.conftest import JobMaker
    from tests.models.sources.model_server import Hub

pytestmark = pytest.mark.anyio

CONTENT = random.Random(2).randbytes(1_500_000)  # noqa: S311 - only filling
SPEC = HuggingFaceSpec(repo="owner/name", file="dir/tiny model.gguf", revision="main")
PULL_PROGRAM = """
import json, sys
from pathlib import Path
import anyio
from smallhold.models import CatalogEntry, HuggingFaceSpec, ModelStore, pull, source_opener
from smallhold.settings import load_settings

fields = json.loads(sys.argv[1])
entry = CatalogEntry(
    alias="tiny", title="", family="", parameter_count=1, licence="", context_tokens=1,
    quantization="F32", size_bytes=fields["size_bytes"], sha256=fields["sha256"],
    call_dialect="hermes", sources=(HuggingFaceSpec(repo="owner/name", file="tiny.gguf"),),
)
async def main():
    settings = load_settings()
    print(await pull(entry, store=ModelStore(settings.model_store),
                     open_source=source_opener(settings)))
anyio.run(main)
"""


def source(hub: Hub, spec: HuggingFaceSpec = SPEC, *, stall_s: float = 5.0) -> HuggingFaceSource:
    settings = TransferSettings(stall_s=stall_s, backoff_s=0.01)
    return HuggingFaceSource(spec=spec, endpoint=hub.hub_url, settings=settings)


def job_of(make_job: JobMaker, hub: Hub, *, is_known: bool = True) -> FetchJob:
    hub.content = CONTENT
    return make_job(CONTENT, is_known=is_known)


def leave(make_job: JobMaker, data: bytes, *, by: str = SPEC.name, etag: str | None = None) -> None:
    """Leave bytes behind as an interrupted fetch would."""
    make_job.partial.restart(PartialNotes(source=by, etag=etag))
    make_job.partial.append(data)


async def test_a_file_arrives_with_the_digest_that_the_hub_announced(
    hub: Hub, make_job: JobMaker
) -> None:
    arrival = await source(hub).fetch(job_of(make_job, hub, is_known=False))
    assert arrival.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert arrival.revision == COMMIT
    assert make_job.arrived == CONTENT
    assert make_job.reports[-1] == (len(CONTENT), len(CONTENT))


async def test_the_address_names_repository_revision_and_file(hub: Hub, make_job: JobMaker) -> None:
    spec = HuggingFaceSpec(repo="owner/name", file="dir/tiny model.gguf", revision="refs/pr/1")
    await source(hub, spec).fetch(job_of(make_job, hub))
    paths = {request.path for request in hub.seen("hub")}
    assert paths == {"/owner/name/resolve/refs%2Fpr%2F1/dir/tiny%20model.gguf"}


def test_the_hub_is_asked_for_nothing_but_the_file(hub: Hub, puller: Puller) -> None:
    output, errors = puller.start().communicate(timeout=60)
    assert output, errors
    asked = [(r.server, r.method, r.path) for r in hub.requests]
    path = "/owner/name/resolve/main/tiny.gguf"
    assert asked == [("hub", "HEAD", path), ("hub", "GET", path), ("storage", "GET", "/blob")]


async def test_a_connection_cut_in_the_middle_is_resumed_where_it_broke(
    hub: Hub, make_job: JobMaker
) -> None:
    hub.fail(cut_after=1_000_000)
    await source(hub).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT
    first, second = hub.ranges()
    assert first is None
    assert second is not None
    start = int(second.removeprefix("bytes=").removesuffix("-"))
    assert 500_000 <= start <= 1_000_000


async def test_a_server_without_ranges_starts_over_cleanly(hub: Hub, make_job: JobMaker) -> None:
    hub.knows_ranges = False
    hub.fail(cut_after=1_000_000)
    await source(hub).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT


async def test_a_server_that_always_breaks_at_the_same_place_is_given_up(
    hub: Hub, make_job: JobMaker
) -> None:
    hub.knows_ranges = False
    for _ in range(20):
        hub.fail(cut_after=1_000_000)
    with pytest.raises(SourceUnavailableError):
        await source(hub).fetch(job_of(make_job, hub))
    assert len(hub.seen("storage")) == ATTEMPTS + 1


async def test_a_stalled_connection_is_dropped_and_resumed(hub: Hub, make_job: JobMaker) -> None:
    hub.fail(stall_after=1_000_000)
    await source(hub, stall_s=0.5).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT


async def test_a_server_error_is_tried_again(hub: Hub, make_job: JobMaker) -> None:
    hub.fail(status=500)
    hub.fail(status=429)
    await source(hub).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT


async def test_a_lasting_server_error_makes_the_source_unavailable(
    hub: Hub, make_job: JobMaker
) -> None:
    hub.hub_status = 503
    with pytest.raises(SourceUnavailableError, match="HTTP 503"):
        await source(hub).fetch(job_of(make_job, hub))
    assert len(hub.requests) == ATTEMPTS


@pytest.mark.parametrize(("status", "words"), [(401, "log in"), (403, "licence"), (404, "no such")])
async def test_a_refusal_is_final_and_says_why(
    hub: Hub, make_job: JobMaker, status: int, words: str
) -> None:
    hub.hub_status = status
    with pytest.raises(SourceUnavailableError, match=words):
        await source(hub).fetch(job_of(make_job, hub))
    assert len(hub.requests) == 1


async def test_nobody_listening_makes_the_source_unavailable(make_job: JobMaker) -> None:
    closed = HuggingFaceSource(
        spec=SPEC, endpoint="http://127.0.0.1:9", settings=TransferSettings(backoff_s=0.01)
    )
    with pytest.raises(SourceUnavailableError):
        await closed.fetch(make_job(CONTENT))


async def test_another_file_than_the_catalog_s_is_refused_before_a_byte_of_it(
    hub: Hub, make_job: JobMaker
) -> None:
    job = job_of(make_job, hub)
    hub.content = CONTENT[::-1]
    with pytest.raises(SourceUnavailableError, match="offers another file"):
        await source(hub).fetch(job)
    assert hub.seen("storage") == []


async def test_another_size_than_the_catalog_s_is_refused_before_a_byte_of_it(
    hub: Hub, make_job: JobMaker
) -> None:
    job = dataclasses.replace(job_of(make_job, hub), sha256=None, size_bytes=5)
    with pytest.raises(SourceUnavailableError, match=r"1,500,000 bytes, the catalog says 5"):
        await source(hub).fetch(job)
    assert hub.seen("storage") == []


async def test_more_bytes_than_promised_are_not_written(hub: Hub, make_job: JobMaker) -> None:
    hub.fail(extra=b"x" * 1_000_000)
    with pytest.raises(SourceUnavailableError, match="sent more"):
        await source(hub).fetch(job_of(make_job, hub))
    assert make_job.partial.size_bytes <= len(CONTENT)


async def test_room_is_asked_for_before_the_download(hub: Hub, make_job: JobMaker) -> None:
    asked: list[int] = []
    make_job.room = asked.append
    leave(make_job, CONTENT[:1000])
    await source(hub).fetch(job_of(make_job, hub))
    assert asked == [len(CONTENT) - 1000]


async def test_bytes_of_another_source_are_used_when_the_digest_pins_the_file(
    hub: Hub, make_job: JobMaker
) -> None:
    leave(make_job, CONTENT[:700_000], by="pypi:tiny")
    await source(hub).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT
    assert hub.ranges() == ["bytes=700000-"]


async def test_without_a_digest_only_the_same_version_is_resumed(
    hub: Hub, make_job: JobMaker
) -> None:
    leave(make_job, b"of an older version", etag="0" * 64)
    await source(hub).fetch(job_of(make_job, hub, is_known=False))
    assert hub.ranges() == [None]
    assert make_job.arrived == CONTENT


async def test_a_mirror_that_announces_nothing_is_asked_with_the_etag(
    hub: Hub, make_job: JobMaker
) -> None:
    hub.is_announcing = False
    leave(make_job, CONTENT[:1000], etag='"v1"')
    arrival = await source(hub).fetch(job_of(make_job, hub, is_known=False))
    assert arrival == Arrival()
    assert {request.headers["if-range"] for request in hub.seen("storage")} == {'"v1"'}
    assert (hub.ranges()[0] or "").startswith("bytes=1000-")
    assert make_job.arrived == CONTENT


async def test_a_file_that_changed_on_such_a_mirror_is_fetched_as_a_whole(
    hub: Hub, make_job: JobMaker
) -> None:
    hub.is_announcing = False
    leave(make_job, b"of an older version", etag='"v0"')
    await source(hub).fetch(job_of(make_job, hub, is_known=False))
    assert make_job.arrived == CONTENT


async def test_a_weak_etag_never_resumes(hub: Hub, make_job: JobMaker) -> None:
    hub.is_announcing, hub.etag = False, 'W/"v1"'
    hub.fail()
    hub.fail(cut_after=1_000_000)
    await source(hub).fetch(job_of(make_job, hub, is_known=False))
    assert hub.ranges()[1:] == [None, None]
    assert make_job.arrived == CONTENT


async def test_a_mirror_without_head_is_used_all_the_same(hub: Hub, make_job: JobMaker) -> None:
    hub.knows_head = False
    await source(hub).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT


async def test_another_range_than_asked_for_starts_over(hub: Hub, make_job: JobMaker) -> None:
    leave(make_job, CONTENT[:1000])
    hub.fail(content_range="bytes 999-1499999/1500000")
    await source(hub).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT
    assert hub.ranges() == ["bytes=1000-", None]


async def test_a_refused_range_starts_over(hub: Hub, make_job: JobMaker) -> None:
    leave(make_job, CONTENT[:1000])
    hub.fail(status=416)
    await source(hub).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT
    assert hub.ranges() == ["bytes=1000-", None]


async def test_a_whole_file_that_arrived_earlier_is_not_asked_for_again(
    hub: Hub, make_job: JobMaker
) -> None:
    leave(make_job, CONTENT)
    await source(hub).fetch(job_of(make_job, hub))
    assert hub.seen("storage") == []


async def test_a_renamed_repository_is_followed_within_the_hub(
    hub: Hub, make_job: JobMaker
) -> None:
    await source(hub, HuggingFaceSpec(repo="old/name", file="x.gguf")).fetch(job_of(make_job, hub))
    assert make_job.arrived == CONTENT


async def test_redirects_in_circles_are_given_up(hub: Hub, make_job: JobMaker) -> None:
    hub.location = f"{hub.hub_url}/owner/name/resolve/main/x"
    hub.is_announcing = False
    with pytest.raises(SourceUnavailableError, match="circles"):
        await source(hub).fetch(job_of(make_job, hub))


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
async def test_a_redirect_to_another_kind_of_address_is_refused(
    hub: Hub, make_job: JobMaker, location: str
) -> None:
    hub.location = location
    with pytest.raises(SourceUnavailableError, match="unsafe address"):
        await source(hub).fetch(job_of(make_job, hub))


async def test_the_token_goes_to_the_hub_and_never_to_the_storage(
    hub: Hub, make_job: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    hub.fail(cut_after=1_000_000)
    await source(hub).fetch(job_of(make_job, hub))
    assert {r.headers.get("authorization") for r in hub.requests if r.server == "hub"} == {
        "Bearer hf_canary"
    }
    assert len(hub.seen("storage")) == 2
    assert "canary" not in repr(hub.seen("storage"))


async def test_a_repository_name_that_is_none_is_refused(hub: Hub, make_job: JobMaker) -> None:
    with pytest.raises(SourceUnavailableError):
        await source(hub, HuggingFaceSpec(repo="a/b/c/d", file="x")).fetch(job_of(make_job, hub))
    assert hub.requests == []


def opened(hub: Hub) -> SourceOpener:
    return lambda spec: source(hub, cast("HuggingFaceSpec", spec))


async def test_wrong_bytes_from_the_storage_are_thrown_away(
    hub: Hub, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT, SPEC)
    hub.content = CONTENT
    hub.fail(content=CONTENT[:-1] + b"!")
    with pytest.raises(SourcesExhaustedError) as caught:
        await pull(entry, store=store, open_source=opened(hub))
    assert isinstance(caught.value.failures[0], CorruptDownloadError)
    assert store.partial(entry).size_bytes == 0


async def test_a_rotten_beginning_is_found_out_after_resuming(
    hub: Hub, store: ModelStore, make_entry: EntryMaker
) -> None:
    entry = make_entry(CONTENT, SPEC)
    hub.content = CONTENT
    store.partial(entry).restart(PartialNotes(source=SPEC.name))
    store.partial(entry).append(b"!" * 1000)
    path = await pull(entry, store=store, open_source=opened(hub))
    assert path.read_bytes() == CONTENT
    assert hub.ranges() == ["bytes=1000-", None]


async def test_an_unverified_model_is_stored_under_the_digest_that_the_hub_announced(
    hub: Hub, store: ModelStore, make_entry: EntryMaker, gguf: GGUFMaker
) -> None:
    hub.content = gguf.model(data_bytes=600_000)
    entry = make_entry(b"", SPEC, is_verified=False, size_bytes=None)
    path = await pull(entry, store=store, open_source=opened(hub))
    assert path.name == f"sha256-{hashlib.sha256(hub.content).hexdigest()}"
    assert store.find(entry) == path


class Puller:
    """Pulls in a process of its own, through the mirror that `HF_ENDPOINT` names."""

    def __init__(self, hub: Hub, home: Path) -> None:
        hub.content = hub.content or CONTENT
        fields = {"size_bytes": len(hub.content), "sha256": hub.digest}
        self._command = [sys.executable, "-c", PULL_PROGRAM, json.dumps(fields)]
        self._environ = {**os.environ, "HF_ENDPOINT": hub.hub_url, "SMALLHOLD_HOME": str(home)}

    def start(self, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            env={**self._environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def puller(hub: Hub, tmp_path: Path) -> Puller:
    return Puller(hub, tmp_path)


def test_a_killed_pull_is_resumed_by_the_next_process(
    hub: Hub, puller: Puller, tmp_path: Path
) -> None:
    hub.fail(stall_after=1_000_000)
    killed = puller.start()
    folder = tmp_path / "models" / "partial"
    deadline_s = time.monotonic() + 30
    while not any(file.stat().st_size >= 700_000 for file in folder.glob("*.part")):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    output, errors = puller.start().communicate(timeout=60)
    assert Path(output.strip()).read_bytes() == CONTENT, errors
    start = (hub.ranges()[1] or "").removeprefix("bytes=").removesuffix("-")
    assert int(start) >= 700_000


def test_a_pull_over_several_connections_that_is_killed_fetches_a_megabyte_twice_at_most(
    hub: Hub, tmp_path: Path
) -> None:
    hub.content = CONTENT * 6
    puller = Puller(hub, tmp_path)
    entry_partial = tmp_path / "models" / "partial" / f"sha256-{hub.digest}.part"
    wasted_bytes = 0
    for point_bytes in (1_000_000, 4_000_000, 7_000_000):
        killed = puller.start(SMALLHOLD_PULL_RATE="20MB")
        deadline_s = time.monotonic() + 30
        while hub.sent_bytes < point_bytes + wasted_bytes:
            assert time.monotonic() < deadline_s
            time.sleep(0.002)
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=30)
        time.sleep(0.1)
        lost_bytes = hub.sent_bytes - PartialFile(entry_partial).size_bytes - wasted_bytes
        assert 0 <= lost_bytes <= 1_000_000
        wasted_bytes += lost_bytes
    output, errors = puller.start().communicate(timeout=60)
    assert Path(output.strip()).read_bytes() == hub.content, errors
    assert hub.sent_bytes == len(hub.content) + wasted_bytes


def test_two_processes_ask_the_storage_once(hub: Hub, puller: Puller) -> None:
    processes = [puller.start() for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert len({output for output, _ in outputs}) == 1, outputs
    assert len(hub.seen("storage")) == 1


def test_offline_nothing_is_asked_of_the_hub(hub: Hub, puller: Puller) -> None:
    _, errors = puller.start(SMALLHOLD_OFFLINE="1").communicate(timeout=60)
    assert "SMALLHOLD_OFFLINE" in errors
    _, errors = puller.start(HF_HUB_OFFLINE="1").communicate(timeout=60)
    assert "HF_HUB_OFFLINE" in errors
    assert hub.requests == []
