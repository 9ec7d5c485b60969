"""From settings to something that runs a model: this file holds the choice of a runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from smallhold.agents.config import Config
from smallhold.engine.config import ModelConfig
from smallhold.exceptions import ConfigError, ModelNotInstalledError
from smallhold.models import (
    Catalog,
    ModelPurpose,
    ModelStore,
    detect_hardware,
    open_catalog,
    open_store,
)
from smallhold.models.calibration import packaged_calibration
from smallhold.models.choice.choice import Choice, recommend
from smallhold.runtimes.dialects import DIALECTS
from smallhold.runtimes.protocol import Embedder, Runtime
from smallhold.runtimes.residency import (
    ModelSpec,
    Residency,
    ResourceConfig,
    StoredModel,
    shared_residency,
)
from smallhold.runtimes.residency.sharing import UNLIMITED
from smallhold.runtimes.sentence_models import installed_sentence_embedder
from smallhold.settings import Settings, load_settings

Resources: TypeAlias = ResourceConfig | Residency
"""What models may take; a residency of one's own is shared with nobody else."""

_CACHE_SHARE: Final = 16
"""The prefix cache of a file may take a sixteenth of the budget, as by itself of the machine."""


def runtime_for(
    config: Config,
    *,
    endpoint: str | None,
    api_key: str | None,
    resources: Resources | None = None,
) -> Runtime:
    """Make the runtime that an agent's settings name.

    Args:
        config: The agent's settings.
        endpoint: Address of a model server.
        api_key: Key for it.
        resources: What models may take; agents that are given equal ones share their models.

    Raises:
        ConfigError: an endpoint or key was given to a provider without a server.
        UnknownModelError: the alias is not in the catalog.
        BudgetTooSmallError: no file of the model fits the memory.
        ModelNotInstalledError: the model has not been pulled.
        InvalidGGUFError: the file is not sound.
    """
    if endpoint is not None or api_key is not None:
        raise ConfigError(
            field="model_endpoint" if endpoint is not None else "api_key",
            value="(set)",
            remedy=f"the provider {config.model_provider!r} has no server; leave it out",
        )
    settings = load_settings()
    residency = residency_for(resources, settings=settings)
    budget_bytes = residency.config.max_memory_bytes
    if config.model_id is not None:
        spec = file_spec(Path(config.model_id), settings=settings, budget_bytes=budget_bytes)
    else:
        spec = model_spec(config.model_alias, settings=settings, budget_bytes=budget_bytes)
    return residency.runtime(replace(spec, keep_alive_s=config.keep_alive_s))


def fallback_runtime_for(config: Config, *, resources: Resources | None = None) -> Runtime | None:
    """Make the runtime of the smaller model that stands in under pressure, if one is named.

    Raises:
        ConfigError: the model cannot answer.
        UnknownModelError: the alias is not in the catalog.
        ModelNotInstalledError: the model has not been pulled.
    """
    if config.fallback_alias is None:
        return None
    smaller = replace(config, model_id=None, model_alias=config.fallback_alias, fallback_alias=None)
    return runtime_for(smaller, endpoint=None, api_key=None, resources=resources)


def residency_for(resources: Resources | None, *, settings: Settings) -> Residency:
    """Find what keeps an agent's models in memory."""
    if isinstance(resources, Residency):
        return resources
    return shared_residency(
        resources or replace(UNLIMITED, model_cache_size=settings.model_cache_bytes)
    )


def model_spec(need: str, *, settings: Settings, budget_bytes: int | None = None) -> ModelSpec:
    """Choose the file of a catalog model, or of a need, that is in the store.

    Args:
        need: An alias, `alias:quantization`, or words such as `routing`.
        settings: Where the store and the catalog are.
        budget_bytes: Memory that it must fit; `None` for what the machine has.

    Raises:
        ConfigError: the model embeds sentences, and cannot answer.
        UnknownModelError: the alias is not in the catalog.
        BudgetTooSmallError: nothing fits.
        ModelNotInstalledError: what fits has not been pulled.
    """
    catalog = open_catalog(settings)
    store = open_store(settings)
    _refuse_embedder(need, catalog=catalog)
    choice = _choose(need, catalog=catalog, store=store, budget_bytes=budget_bytes)
    entry = choice.entry
    config = ModelConfig(
        path=store.require(entry),
        name=entry.alias if need == entry.alias else entry.reference,
        context_tokens=choice.plan.context_tokens,
        gpu_layers=choice.plan.gpu_layers,
        # By itself the engine would size its cache by the machine.
        cache_bytes=None if budget_bytes is None else choice.plan.cache_bytes,
        snapshot_folder=settings.cache / "prefixes",
    )
    return ModelSpec(
        config=config,
        dialect=DIALECTS[entry.call_dialect],
        calibration=None if entry.calibration is None else packaged_calibration(entry.calibration),
        stored=StoredModel(store=store, entry=entry),
    )


def file_spec(path: Path, *, settings: Settings, budget_bytes: int | None = None) -> ModelSpec:
    """Take a GGUF file outside the store as it is."""
    cache_bytes = None if budget_bytes is None else budget_bytes // _CACHE_SHARE
    return ModelSpec(
        config=ModelConfig(
            path=path,
            name=path.stem,
            cache_bytes=cache_bytes,
            snapshot_folder=settings.cache / "prefixes",
        )
    )


def installed_embedder() -> Embedder | None:
    """Open the sentence model that finds tools by their meaning, if it has been pulled.

    Raises:
        InvalidWeightsError: its file is not sound.
    """
    return installed_sentence_embedder(settings=load_settings())


def _refuse_embedder(need: str, *, catalog: Catalog) -> None:
    if need in catalog.aliases and catalog.resolve(need).purpose is not ModelPurpose.CHAT:
        raise ConfigError(
            field="model_alias",
            value=need,
            remedy="this model embeds sentences; choose one that answers: `smallhold models list`",
        )


def _choose(need: str, *, catalog: Catalog, store: ModelStore, budget_bytes: int | None) -> Choice:
    """Take the best file that is here; an agent cannot wait for a pull."""
    choices = recommend(
        need,
        catalog=catalog,
        hardware=detect_hardware(),
        is_installed=store.holds,
        budget_bytes=budget_bytes,
    )
    found = next((choice for choice in choices if choice.is_installed), None)
    if found is None:
        raise ModelNotInstalledError(alias=_shown(need, choices[0]))
    return found


def _shown(need: str, choice: Choice) -> str:
    """Name what is to be pulled as the user did, where that names it."""
    entry = choice.entry
    return entry.alias if need == entry.alias else entry.reference
