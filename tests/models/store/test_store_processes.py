"""Promises of `smallhold.models.store.store` to many processes:
this file holds tests with real ones.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.models.archives.conftest import Machine
from tests.models.stored import put

from smallhold.models.store.garbage import collect_garbage
from smallhold.models.store.store import ModelStore

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker

CONTENTS = {
    alias: random.Random(alias).randbytes(200_000)  # noqa: S311 - only filling
    for alias in ("a", "b", "c", "kept")
}
SECONDS = 2.0
ACTOR = """
import hashlib, random, sys, time
from pathlib import Path
import anyio
from smallhold.exceptions import (
    ModelChangedError, ModelInUseError, ModelNotInstalledError, StoreBusyError,
)
from smallhold.models import FileSpec, ModelStore, pull, source_opener
from smallhold.models.archives import ImportTarget, import_models
from smallhold.models.catalog.catalog import Catalog, CatalogModel, CatalogVariant, ModelFormat
from smallhold.models.store.garbage import collect_garbage
from smallhold.settings import Settings

role, root, originals, archive, seconds = sys.argv[1:]
store, originals = ModelStore(Path(root)), Path(originals)

def model(path):
    content = path.read_bytes()
    return CatalogModel(
        alias=path.name, title="T", family="f", parameter_count=1, licence="MIT",
        context_tokens=1, call_dialect="hermes",
        variants=(CatalogVariant(
            quantization="Q4_0", format=ModelFormat.SAFETENSORS, size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(), sources=(FileSpec(path=str(path)),),
        ),),
    )

catalog = Catalog(models={path.name: model(path) for path in sorted(originals.iterdir())})
opener = source_opener(Settings(home=originals, cache=originals))

def pull_one(entry):
    try:
        anyio.run(lambda: pull(entry, store=store, open_source=opener))
    except ModelNotInstalledError:
        # Removed or evicted in the moment after it was fetched.
        pass

def remove_one(entry):
    if entry.alias != "kept":
        store.remove(entry.alias)

def bring_all(entry):
    target = ImportTarget(store=store, known=catalog, add_model=print)
    import_models(Path(archive), target=target)

def collect(entry):
    known = catalog.entries if random.random() < 0.5 else ()
    collect_garbage(store, known=known, limit_bytes=random.choice([None, 300_000, 500_000]))

def load(entry):
    path = store.find(entry)
    assert path is not None or entry.alias != "kept", "a pinned model was evicted"
    if path is None:
        return
    with store.in_use(path):
        time.sleep(random.random() / 50)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256, "wrong bytes"

act = {"pull": pull_one, "remove": remove_one, "import": bring_all, "gc": collect, "load": load}
until, count = time.monotonic() + float(seconds), 0
while time.monotonic() < until:
    try:
        act[role](random.choice(catalog.entries))
        count += 1
    except (ModelNotInstalledError, ModelInUseError, StoreBusyError) as error:
        assert role in {"remove", "load"} or isinstance(error, StoreBusyError), error
print(count)
"""


@pytest.fixture
def machine(store: ModelStore) -> Machine:
    made = Machine(store)
    for alias, content in CONTENTS.items():
        made.add(alias, content)
    return made


def test_pulls_imports_removals_and_collections_at_once_lose_nothing(
    machine: Machine, tmp_path: Path
) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    for alias, content in CONTENTS.items():
        (originals / alias).write_bytes(content)
    (archive,) = machine.export(tmp_path)
    machine.store.pin("kept")
    roles = ["pull", "remove", "import", "gc", "gc", "load", "load"]
    given = [str(machine.store.root), str(originals), str(archive), str(SECONDS)]
    actors = [
        subprocess.Popen(
            [sys.executable, "-c", ACTOR, role, *given],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for role in roles
    ]
    said = [actor.communicate(timeout=60) for actor in actors]
    for role, actor, (output, errors) in zip(roles, actors, said, strict=True):
        assert actor.returncode == 0, f"{role}: {errors}"
        assert int(output.split()[-1]) > 0, role
    contents = machine.contents()
    assert contents["kept:q4_0"] == CONTENTS["kept"]
    assert all(CONTENTS[name.partition(":")[0]] == content for name, content in contents.items())
    # After one more look nothing is left that no model needs.
    collect_garbage(machine.store)
    assert machine.store.blobs.without_record() == ()
    assert set(machine.store.records.all()) == set(contents)
    assert machine.store.partials_bytes() == 0


HOLDER = """
import sys, time
from pathlib import Path
from smallhold.models import ModelStore
with ModelStore(Path(sys.argv[1])).in_use(Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_model_loaded_by_another_process_stays_until_that_process_is_killed(
    store: ModelStore, make_entry: EntryMaker
) -> None:
    path = put(store, make_entry(CONTENTS["a"]), CONTENTS["a"])
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(store.root), str(path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        assert store.trim(limit_bytes=0).evicted == ()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert store.trim(limit_bytes=0).freed_bytes == len(CONTENTS["a"])


SLOW_IMPORT = """
import sys, time
from pathlib import Path
from smallhold.models import ModelStore
from smallhold.models.archives import ImportTarget, import_models
from smallhold.models.catalog.catalog import Catalog
def slow(done_bytes, total_bytes):
    print(done_bytes, flush=True)
    time.sleep(60)
target = ImportTarget(
    store=ModelStore(Path(sys.argv[1])), known=Catalog(models={}), add_model=print
)
import_models(Path(sys.argv[2]), target=target, report=slow)
"""


def test_an_import_that_is_killed_leaves_no_model_and_no_lock(
    machine: Machine, tmp_path: Path
) -> None:
    (archive,) = machine.export(tmp_path, "a")
    there = Machine(ModelStore(tmp_path / "there"))
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_IMPORT, str(there.store.root), str(archive)],
        stdout=subprocess.PIPE,
    ) as importing:
        assert importing.stdout
        assert importing.stdout.readline()
        # What arrives right now is not taken from under it.
        assert there.store.discard_partials() == 0
        assert there.store.partials_bytes() > 0
        importing.kill()
        importing.wait()
    assert there.contents() == {}
    assert there.store.discard_partials() == len(CONTENTS["a"])
    there.bring(archive)
    assert there.contents() == {"a:q4_0": CONTENTS["a"]}


def test_a_killed_export_leaves_no_archive_of_that_name(machine: Machine, tmp_path: Path) -> None:
    target = tmp_path / "a.tar"
    script = SLOW_IMPORT.partition("target =")[0] + (
        "from smallhold.models.archives import export_models, plan_export\n"
        "from tests.models.archives.conftest import Machine\n"
        "machine = Machine(ModelStore(Path(sys.argv[1])))\n"
        "from tests.models.archives.conftest import model, variant\n"
        "content = machine.store.named('a').path.read_bytes()\n"
        "machine.models['a'] = model('a', variant(content))\n"
        "plan = plan_export(['a'], store=machine.store, catalog=machine.catalog,\n"
        "    path=Path(sys.argv[2]))\n"
        "export_models(plan, report=slow)\n"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(machine.store.root), str(target)],
        stdout=subprocess.PIPE,
        cwd=root,
    ) as exporting:
        assert exporting.stdout
        assert exporting.stdout.readline()
        exporting.kill()
        exporting.wait()
    assert not target.exists()
    assert machine.export(target, "a") == (target,)
    assert sorted(tmp_path.glob("a.tar*")) == [target]
