"""Promises of `smallhold.cli.pull_command`: this file holds tests of `smallhold pull` as a whole.

Files come from servers on loopback, or from the disk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.models.conftest import GGUFMaker
from tests.models.sources.model_server import COMMIT, Hub, Servers
from typer.testing import CliRunner

from smallhold.cli.main import app
from smallhold.models import ModelStore, open_catalog
from smallhold.models.catalog.signing import SigningKey
from smallhold.settings import Settings

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine, Program
    from typer.testing import Result

MODEL = GGUFMaker().model(data_bytes=600_000)
KEY = SigningKey.generate().public.text
DIGEST = hashlib.sha256(MODEL).hexdigest()


@pytest.fixture
def hub() -> Generator[Hub]:
    hub = Hub(content=MODEL)
    with Servers(hub):
        yield hub


class Home:
    """A home without any model, with the loopback as its network."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.settings = Settings(home=folder, cache=folder / "cache")
        self._environ = {
            "SMALLHOLD_HOME": str(folder),
            "SMALLHOLD_OFFLINE": "",
            "COLUMNS": "200",
            "HF_HUB_CACHE": str(folder / "none"),
            "OLLAMA_MODELS": str(folder / "none"),
        }
        self.registry = hub.registry_url.removeprefix("http://")

    def pull(self, *arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(
            app, ["pull", *arguments], env={**self._environ, **environ}, catch_exceptions=False
        )

    @property
    def store(self) -> ModelStore:
        return ModelStore(self.settings.model_store)


@pytest.fixture
def home(tmp_path: Path, hub: Hub) -> Home:
    return Home(tmp_path / "home", hub)


def test_a_file_behind_an_address_becomes_a_model_of_one_s_own(home: Home, hub: Hub) -> None:
    done = home.pull(f"{hub.storage_url}/Tiny-Q8_0.gguf")
    assert done.exit_code == 0, done.output
    assert "tiny:q4_k_m is ready" in done.stderr
    entry = open_catalog(home.settings).resolve("tiny")
    assert (entry.sha256, entry.size_bytes) == (DIGEST, len(MODEL))
    assert (entry.quantization, entry.title, entry.family) == ("Q4_K_M", "Tiny", "llama")
    assert entry.shape is not None
    assert home.store.require(entry).read_bytes() == MODEL


def test_only_the_model_s_own_name_is_left_in_the_store(home: Home, hub: Hub) -> None:
    home.pull(f"{hub.storage_url}/tiny.gguf")
    assert [model.reference for model in home.store.installed()] == ["tiny:q4_k_m"]


def test_the_user_may_choose_the_name(home: Home, hub: Hub) -> None:
    home.pull(f"{hub.storage_url}/tiny.gguf", "--as", "mine")
    assert "mine" in open_catalog(home.settings)
    assert "tiny" not in open_catalog(home.settings)


def test_a_model_of_a_registry_is_named_after_its_tag(home: Home) -> None:
    done = home.pull(f"ollama:{home.registry}/library/tiny:1b")
    assert done.exit_code == 0, done.output
    assert home.store.require(open_catalog(home.settings).resolve("tiny-1b")).exists()


def test_what_was_pulled_from_a_place_is_not_fetched_again(home: Home, hub: Hub) -> None:
    home.pull(f"{hub.storage_url}/tiny.gguf")
    hub.requests.clear()
    done = home.pull(f"{hub.storage_url}/tiny.gguf")
    assert "tiny:q4_k_m is already there" in done.stderr
    assert hub.requests == []


def test_a_file_of_the_disk_is_copied(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "my model.gguf"
    path.write_bytes(MODEL)
    assert home.pull(str(path)).exit_code == 0
    path.unlink()
    entry = open_catalog(home.settings).resolve("my-model")
    assert home.store.require(entry).read_bytes() == MODEL


def test_a_relative_path_is_one_of_the_current_folder(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.gguf").write_bytes(MODEL)
    monkeypatch.chdir(tmp_path)
    assert home.pull("tiny.gguf", "--as", "one").exit_code == 0
    assert home.pull("./tiny.gguf", "--as", "two").exit_code == 0


def test_the_address_s_digest_decides(home: Home, hub: Hub) -> None:
    done = home.pull(f"{hub.storage_url}/tiny.gguf#sha256={'0' * 64}")
    assert done.exit_code == 1
    assert "delivered the wrong bytes" in done.stderr
    assert home.store.installed() == ()


def test_a_web_page_is_no_model(home: Home, hub: Hub) -> None:
    hub.fail(page=b"<html>Log in</html>")
    done = home.pull(f"{hub.storage_url}/tiny.gguf")
    assert done.exit_code == 1
    assert "web page" in done.stderr


def test_a_name_of_the_packaged_catalog_cannot_be_taken(home: Home, hub: Hub) -> None:
    done = home.pull(f"{hub.storage_url}/tiny.gguf", "--as", "smollm2-135m")
    assert done.exit_code == 2
    assert "--as = 'smollm2-135m' cannot be used" in done.stderr
    assert hub.requests == []


def test_where_models_must_be_signed_a_place_is_refused_before_the_download(
    home: Home, hub: Hub
) -> None:
    done = home.pull(f"{hub.storage_url}/tiny.gguf", SMALLHOLD_CATALOG_KEYS=KEY)
    assert done.exit_code == 1
    assert "not signed" in done.stderr
    assert hub.requests == []


def test_events_are_one_object_a_line_and_end_with_the_path(home: Home, hub: Hub) -> None:
    done = home.pull(f"{hub.storage_url}/tiny.gguf", "--json", "--as", "mine")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["event"] for event in events} == {"fetching", "verifying", "done"}
    assert Path(events[-1]["path"]).read_bytes() == MODEL
    assert events[-1]["reference"] == "mine:q4_k_m"
    assert all(set(event) >= {"done_bytes", "total_bytes", "reference"} for event in events)


def test_a_failure_is_the_last_event(home: Home, hub: Hub) -> None:
    hub.fail(status=404)
    done = home.pull(f"{hub.storage_url}/tiny.gguf", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 1
    assert events[-1]["event"] == "failed"
    assert events[-1]["kind"] == "SourcesExhaustedError"


def test_a_limited_pull_takes_its_time(home: Home, hub: Hub) -> None:
    done = home.pull(f"{hub.storage_url}/tiny.gguf", "--limit-rate", "2MB", "--json")
    assert done.exit_code == 0
    rates = [json.loads(line).get("rate_bytes_s") for line in done.stdout.splitlines()]
    assert any(rates)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--limit-rate", "fast"], "--limit-rate = 'fast' cannot be used"),
        (["--connections", "0"], "connections = 0 cannot be used"),
        (["--variant", "q8_0"], "a place names one file"),
        (["--as", "No Name"], "--as = 'No Name' cannot be used"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(
    home: Home, hub: Hub, arguments: list[str], words: str
) -> None:
    done = home.pull(f"{hub.storage_url}/tiny.gguf", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert hub.requests == []


def test_a_hostile_reference_is_refused_by_field(command_line: CommandLine) -> None:
    done = command_line("pull", "hf:owner/repo/../../x.gguf")
    assert done.exit_code == 2
    assert "reference, file = '../../x.gguf' cannot be used" in done.stderr


def test_a_branch_of_the_hub_is_noted_as_the_commit_that_it_stood_for(
    home: Home, hub: Hub, program: Program
) -> None:
    done = program(
        "pull",
        "hf:owner/name/tiny.gguf",
        environ={
            "SMALLHOLD_HOME": str(home.settings.home),
            "HF_ENDPOINT": hub.hub_url,
            "HF_HUB_CACHE": str(home.settings.home / "none"),
        },
    )
    assert done.returncode == 0, done.stderr
    document = yaml.safe_load((home.settings.home / "catalog.yaml").read_text())
    (source,) = document["models"]["tiny"]["variants"][0]["sources"]
    assert source["revision"] == COMMIT
