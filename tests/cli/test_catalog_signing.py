"""Promises of `smallhold.cli.catalog_signing`: this file holds tests of the signing commands."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from smallhold.cli.main import app
from smallhold.models import load_catalog

if TYPE_CHECKING:
    from click.testing import Result
    from tests.cli.conftest import CommandLine

ALIAS = "smollm2-135m"


@pytest.fixture
def key(command_line: CommandLine, tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    assert command_line("models", "keygen", str(path)).exit_code == 0
    return path


@pytest.fixture
def public_key(command_line: CommandLine, tmp_path: Path) -> str:
    """The public half of a second key."""
    made = command_line("models", "keygen", str(tmp_path / "second.pem"), "--json")
    return json.loads(made.stdout)["public_key"]


def strictly(command_line: CommandLine, public: str, *arguments: str) -> Result:
    """Run a command where only models signed with this key may be used."""
    environ = {
        "SMALLHOLD_HOME": str(command_line.home),
        "SMALLHOLD_CATALOG_KEYS": public,
        "COLUMNS": "200",
    }
    return CliRunner().invoke(app, list(arguments), env=environ)


def public_of(command_line: CommandLine, folder: Path) -> tuple[Path, str]:
    path = folder / "own.pem"
    made = command_line("models", "keygen", str(path), "--json")
    return path, json.loads(made.stdout)["public_key"]


def test_a_new_key_can_be_read_by_its_owner_alone(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_new_key_is_never_written_over_another(command_line: CommandLine, key: Path) -> None:
    before = key.read_bytes()
    result = command_line("models", "keygen", str(key))
    assert result.exit_code == 2
    assert "File exists" in result.stderr
    assert key.read_bytes() == before


def test_the_public_half_is_shown_as_the_setting_that_takes_it(
    command_line: CommandLine, tmp_path: Path
) -> None:
    result = command_line("models", "keygen", str(tmp_path / "new.pem"))
    assert result.stdout.startswith("SMALLHOLD_CATALOG_KEYS=")


def test_a_signed_model_may_be_used_where_signatures_are_required(
    command_line: CommandLine, tmp_path: Path
) -> None:
    key, public = public_of(command_line, tmp_path)
    refused = strictly(command_line, public, "pull", ALIAS)
    assert refused.exit_code == 1
    assert f"The model '{ALIAS}' may not be used here: it is not signed" in refused.stderr
    assert command_line("models", "sign", ALIAS, "--key", str(key)).exit_code == 0
    shown = strictly(command_line, public, "models", "show", ALIAS, "--json")
    assert json.loads(shown.stdout)["refusal"] is None


def test_refused_models_are_listed_as_such(command_line: CommandLine, tmp_path: Path) -> None:
    key, public = public_of(command_line, tmp_path)
    command_line("models", "sign", ALIAS, "--key", str(key))
    listed = strictly(command_line, public, "models", "list", "--json")
    refusals: dict[str, Any] = {m["alias"]: m["refusal"] for m in json.loads(listed.stdout)}
    assert [alias for alias, reason in refusals.items() if reason is None] == [ALIAS]
    assert refusals["phi-4-mini"] == "it is not signed"
    table = strictly(command_line, public, "models", "list").stdout
    assert "refused: unsigned" in table


def test_all_models_are_signed_into_a_file_of_ones_choice(
    command_line: CommandLine, key: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    result = command_line("models", "sign", "--key", str(key), "--output", str(site), "--json")
    document = json.loads(result.stdout)
    assert document["file"] == str(site)
    assert document["signed"] == list(load_catalog().models)


def test_a_catalog_is_verified_model_by_model(command_line: CommandLine, tmp_path: Path) -> None:
    key, public = public_of(command_line, tmp_path)
    site = tmp_path / "site.yaml"
    command_line("models", "sign", "--key", str(key), "--output", str(site))
    sound = command_line("models", "verify-catalog", str(site), "--key", public)
    assert sound.exit_code == 0
    assert "valid" in sound.stdout
    site.write_text(site.read_text().replace(f"  {ALIAS}:\n", f"  {ALIAS}:\n    title: Other\n"))
    result = command_line("models", "verify-catalog", str(site), "--key", public, "--json")
    assert result.exit_code == 1
    verdicts = {verdict["alias"]: verdict for verdict in json.loads(result.stdout)}
    assert verdicts[ALIAS]["valid"] is False
    assert "not what was signed" in verdicts[ALIAS]["refusal"]
    assert verdicts["phi-4-mini"]["valid"] is True
    assert "phi-4-mini:q8_0" in verdicts["phi-4-mini"]["unhashed"]


def test_signatures_of_a_key_that_does_not_count_are_not_valid(
    command_line: CommandLine, key: Path, public_key: str
) -> None:
    command_line("models", "sign", ALIAS, "--key", str(key))
    assert command_line("models", "verify-catalog", "--key", public_key).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("sign", "none", "--key", "KEY"), "No model 'none'"),
        (("sign", ALIAS, "--key", "/nowhere/key.pem"), "cannot be read"),
        (("sign", ALIAS, "--key", "/dev/null"), "models keygen"),
        (("verify-catalog",), "name a public key with --key"),
        (("verify-catalog", "--key", "nonsense"), "44 characters"),
        (("verify-catalog", "/nowhere/site.yaml", "--key", "PUBLIC"), "No such file"),
    ],
)
def test_wrong_usage_is_told_apart(
    command_line: CommandLine,
    key: Path,
    public_key: str,
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    named = [{"KEY": str(key), "PUBLIC": public_key}.get(word, word) for word in arguments]
    result = command_line("models", *named)
    assert result.exit_code in {1, 2}
    assert problem in result.stderr
