"""Promises of `smallhold.models.catalog.overlays`:
this file holds tests of a user's own catalog file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import filelock
import pytest
from anyio import to_thread

from smallhold.exceptions import CatalogError, ConfigError, UnsignedModelError
from smallhold.models.catalog.catalog import CatalogModel
from smallhold.models.catalog.catalog_file import load_catalog
from smallhold.models.catalog.overlays import (
    add_to_overlay,
    open_catalog,
    overlay_path,
    write_signatures,
)
from smallhold.models.catalog.signing import SigningKey
from smallhold.models.catalog.source_specs import FileSpec, HttpsSpec, OllamaSpec
from smallhold.settings import Settings

ALIAS = "qwen2.5-coder-0.5b"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache")


def mine(alias: str = "mine") -> CatalogModel:
    model = load_catalog().model(ALIAS)
    source = OllamaSpec(model="someone/mine")
    variants = (replace(model.variants[0], sources=(source,)),)
    return replace(model, alias=alias, title="Mine", variants=variants)


def written(settings: Settings, text: str) -> Settings:
    path = overlay_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return settings


def test_without_a_file_of_the_users_the_packaged_catalog_holds(settings: Settings) -> None:
    assert open_catalog(settings) is load_catalog()


def test_the_file_beside_the_settings_is_laid_over_the_packaged_one(settings: Settings) -> None:
    catalog = open_catalog(written(settings, "version: 2\naliases: {support: smollm2-135m}\n"))
    assert catalog.resolve("support").alias == "smollm2-135m"
    assert ALIAS in catalog


def test_a_file_that_the_settings_name_takes_its_place(settings: Settings, tmp_path: Path) -> None:
    written(settings, "version: 2\naliases: {support: smollm2-135m}\n")
    named = replace(settings, catalog=tmp_path / "site.yaml")
    (tmp_path / "site.yaml").write_text("version: 2\naliases: {kiosk: smollm2-135m}\n")
    assert "kiosk" in open_catalog(named)
    assert "support" not in open_catalog(named)


def test_a_named_file_that_is_not_there_is_an_error(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"none\.yaml.*No such file"):
        open_catalog(replace(settings, catalog=tmp_path / "none.yaml"))


def test_a_malformed_file_is_refused_with_its_name_line_and_field(settings: Settings) -> None:
    text = f"version: 2\nmodels:\n  {ALIAS}:\n    context_tokens: many\n"
    with pytest.raises(CatalogError) as caught:
        open_catalog(written(settings, text))
    assert caught.value.file == str(overlay_path(settings))
    assert caught.value.place == f"line 4, entry '{ALIAS}', field context_tokens"


def test_a_mirror_takes_the_place_of_a_packaged_models_sources(settings: Settings) -> None:
    text = (
        f"version: 2\nmodels:\n  {ALIAS}:\n    sources:\n"
        "      - {kind: https, url: 'https://mirror.example/{quantization}.gguf'}\n"
    )
    entry = open_catalog(written(settings, text)).resolve(ALIAS)
    assert entry.sources == (HttpsSpec(url="https://mirror.example/q4_k_m.gguf"),)
    assert entry.sha256 == load_catalog().resolve(ALIAS).sha256


def test_the_example_of_the_documentation_is_a_catalog_file(settings: Settings) -> None:
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text("utf-8")
    _, _, rest = page.partition("```yaml\n")
    catalog = open_catalog(written(settings, rest.partition("```")[0]))
    assert catalog.resolve("support").alias == "qwen2.5-coder-1.5b"
    assert catalog.resolve("phi-4-mini").reference == "phi-4-mini:q8_0"
    assert catalog.resolve("our-tuned").size_bytes == 491400064
    assert catalog.resolve("smollm2-135m:q6_k").sources[0].name.startswith("file:")


def test_a_redirected_alias_leads_elsewhere_everywhere(settings: Settings) -> None:
    catalog = open_catalog(written(settings, f"version: 2\naliases: {{{ALIAS}: smollm2-135m}}\n"))
    assert catalog.resolve(ALIAS).alias == "smollm2-135m"


def test_an_added_model_is_found_afterwards(settings: Settings) -> None:
    path = add_to_overlay(settings, mine())
    assert path == overlay_path(settings)
    assert open_catalog(settings).model("mine") == mine()


def test_adding_a_model_keeps_what_people_wrote(settings: Settings) -> None:
    written(settings, "# Ours.\nversion: 2\naliases: {support: smollm2-135m}  # for now\n")
    add_to_overlay(settings, mine())
    add_to_overlay(settings, replace(mine(), title="Newer"))
    text = overlay_path(settings).read_text()
    assert "# Ours." in text
    assert "# for now" in text
    assert open_catalog(settings).model("mine").title == "Newer"
    assert "support" in open_catalog(settings)


def test_a_model_is_added_to_a_file_of_the_older_version_too(settings: Settings) -> None:
    written(
        settings,
        "version: 1\nmodels:\n  old:\n    {title: Old, family: old, parameter_count: 1, "
        "licence: MIT, context_tokens: 1, quantization: Q4_0, call_dialect: hermes, "
        "sources: [{kind: file, path: /mnt/old.gguf}]}\n",
    )
    add_to_overlay(settings, mine())
    assert open_catalog(settings).resolve("old").sources == (FileSpec(path="/mnt/old.gguf"),)
    assert open_catalog(settings).model("mine") == mine()


def test_a_malformed_file_is_never_written_over(settings: Settings) -> None:
    written(settings, "version: 2\nmodels: [1]\n")
    with pytest.raises(CatalogError):
        add_to_overlay(settings, mine())
    assert overlay_path(settings).read_text() == "version: 2\nmodels: [1]\n"


def test_a_folder_that_cannot_be_written_is_a_clear_error(settings: Settings) -> None:
    settings.home.write_text("a file where the folder should be")
    with pytest.raises(CatalogError, match="cannot be written"):
        add_to_overlay(settings, mine())


def test_a_lock_that_another_process_holds_for_long_is_a_clear_error(settings: Settings) -> None:
    settings.home.mkdir()
    held = filelock.FileLock(f"{overlay_path(settings)}.lock")
    with held, pytest.raises(CatalogError, match="another process holds its lock"):
        add_to_overlay(settings, mine(), busy_limit_s=0.05)


async def test_models_that_are_added_at_once_are_all_there(settings: Settings) -> None:
    aliases = [f"mine-{number}" for number in range(8)]
    async with anyio.create_task_group() as tasks:
        for alias in aliases:
            tasks.start_soon(to_thread.run_sync, add_to_overlay, settings, mine(alias))
    assert set(aliases) <= set(open_catalog(settings).models)


def test_only_what_an_accepted_key_signed_may_be_used(settings: Settings) -> None:
    key = SigningKey.generate()
    strict = replace(settings, catalog_keys=(key.public.text,))
    with pytest.raises(UnsignedModelError, match="it is not signed"):
        open_catalog(strict).resolve(ALIAS)
    write_signatures(overlay_path(settings), {ALIAS: key.sign(load_catalog().model(ALIAS))})
    assert open_catalog(strict).resolve(ALIAS).alias == ALIAS
    assert open_catalog(strict).aliases == (ALIAS,)
    assert "smollm2-135m" in open_catalog(strict).unsigned


def test_a_signed_model_that_was_changed_is_refused_by_name(settings: Settings) -> None:
    key = SigningKey.generate()
    strict = replace(settings, catalog_keys=(key.public.text,))
    add_to_overlay(settings, replace(mine(), signature=key.sign(mine())))
    assert open_catalog(strict).resolve("mine").alias == "mine"
    path = overlay_path(settings)
    path.write_text(path.read_text().replace("title: Mine", "title: Yours"))
    with pytest.raises(UnsignedModelError, match="not what was signed"):
        open_catalog(strict).resolve("mine")


def test_a_key_that_is_none_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="SMALLHOLD_CATALOG_KEYS"):
        open_catalog(replace(settings, catalog_keys=("nonsense",)))
