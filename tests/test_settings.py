"""Promises of `smallhold.settings`: this file holds tests of reading the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.settings import Settings, load_settings, parse_bytes, settings_from

HOME = Path("/default/home")
CACHE = Path("/default/cache")


def read(environ: dict[str, str]) -> Settings:
    return settings_from(environ, default_home=HOME, default_cache=CACHE)


def test_an_empty_environment_gives_the_defaults_and_allows_the_network() -> None:
    assert read({}) == Settings(home=HOME, cache=CACHE, offline=False)


def test_an_empty_value_counts_as_unset() -> None:
    environ = {"SMALLHOLD_HOME": "", "SMALLHOLD_CACHE": "", "SMALLHOLD_OFFLINE": ""}
    assert read(environ) == read({})


def test_folders_are_taken_from_the_environment() -> None:
    settings = read({"SMALLHOLD_HOME": "/srv/smallhold/", "SMALLHOLD_CACHE": "/var/../tmp/c"})
    assert settings.home == Path("/srv/smallhold")
    assert settings.cache == Path("/tmp/c")  # noqa: S108 - only a name


def test_models_live_inside_the_home_folder() -> None:
    assert read({"SMALLHOLD_HOME": "/srv/s"}).model_store == Path("/srv/s/models")


@pytest.mark.parametrize("value", ["models", "./models", "~/models", "../x", "/a\0b"])
@pytest.mark.parametrize("variable", ["SMALLHOLD_HOME", "SMALLHOLD_CACHE"])
def test_a_folder_that_is_not_absolute_is_refused(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match="absolute path") as caught:
        read({variable: value})
    assert caught.value.field == variable


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "yes", "On", " 1 "])
def test_offline_understands_words_for_yes(value: str) -> None:
    assert read({"SMALLHOLD_OFFLINE": value}).offline


@pytest.mark.parametrize("value", ["0", "false", "No", "off"])
def test_offline_understands_words_for_no(value: str) -> None:
    assert not read({"SMALLHOLD_OFFLINE": value}).offline


@given(st.text())
@example("maybe")
@example("2")
def test_any_value_of_offline_is_understood_or_refused_by_name(value: str) -> None:
    word = value.strip().lower()
    if word in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        assert read({"SMALLHOLD_OFFLINE": value}).offline == (word in {"1", "true", "yes", "on"})
        return
    with pytest.raises(ConfigError, match="SMALLHOLD_OFFLINE"):
        read({"SMALLHOLD_OFFLINE": value})


def test_without_a_mapping_the_environment_of_the_process_is_read(tmp_path: Path) -> None:
    program = "from smallhold.settings import load_settings; print(load_settings().home)"
    environ = {"SMALLHOLD_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(tmp_path)


def test_the_default_folders_are_absolute_and_named_after_the_package() -> None:
    settings = load_settings({})
    assert settings.home.is_absolute()
    assert settings.home != settings.cache
    assert "smallhold" in settings.home.parts


def test_the_catalog_the_keys_and_the_limits_are_taken_from_the_environment() -> None:
    settings = read({
        "SMALLHOLD_CATALOG": "/etc/smallhold/models.yaml",
        "SMALLHOLD_CATALOG_KEYS": "one, two,",
        "SMALLHOLD_VERIFY_ON_LOAD": "yes",
        "SMALLHOLD_MODEL_CACHE_SIZE": "20GB",
        "SMALLHOLD_PULL_RATE": "5MiB",
    })
    assert settings.catalog == Path("/etc/smallhold/models.yaml")
    assert settings.catalog_keys == ("one", "two")
    assert settings.verify_on_load
    assert settings.model_cache_bytes == 20_000_000_000
    assert settings.pull_rate_bytes_s == 5 << 20


def test_a_catalog_that_is_not_named_absolutely_is_refused() -> None:
    with pytest.raises(ConfigError, match="absolute path"):
        read({"SMALLHOLD_CATALOG": "models.yaml"})


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("500", 500),
        ("4GB", 4_000_000_000),
        ("4 gb", 4_000_000_000),
        ("1.5GB", 1_500_000_000),
        ("4GiB", 4 << 30),
        ("0.1MB", 100_000),
        (" 2KB ", 2000),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, size_bytes: int) -> None:
    assert parse_bytes(text, field="size") == size_bytes


@pytest.mark.parametrize(
    "text", ["", "GB", "-1GB", "0", "0.4B", "4 G B", "4XB", "1e9", "٤GB", "inf"]
)
def test_what_is_no_size_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(ConfigError, match="500MB, 4GB or 4GiB") as caught:
        parse_bytes(text, field="max_memory_usage")
    assert caught.value.field == "max_memory_usage"


@given(st.integers(min_value=1, max_value=999), st.sampled_from(["KB", "MB", "GB", "TB"]))
def test_every_whole_size_in_a_unit_is_exact(number: int, unit: str) -> None:
    power = "KMGT".index(unit[0]) + 1
    assert parse_bytes(f"{number}{unit}", field="size") == number * 1000**power
