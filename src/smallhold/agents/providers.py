"""From settings to something that runs a model: this file holds the choice of a runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smallhold.agents.config import Config
from smallhold.engine.config import ModelConfig
from smallhold.exceptions import ConfigError, EngineNotInstalledError, ModelNotInstalledError
from smallhold.models import ModelPurpose, ModelStore, load_catalog
from smallhold.models.calibration import Calibration, packaged_calibration
from smallhold.runtimes.dialects import DIALECTS, HERMES, CallDialect
from smallhold.runtimes.protocol import Embedder, Runtime
from smallhold.runtimes.sentence_models import installed_sentence_embedder
from smallhold.settings import Settings, load_settings

if TYPE_CHECKING:
    from smallhold.runtimes.embedded import EmbeddedRuntime


def runtime_for(config: Config, *, endpoint: str | None, api_key: str | None) -> Runtime:
    """Make the runtime that an agent's settings name.

    Raises:
        ConfigError: an endpoint or key was given to a provider without a server.
        UnknownModelError: the alias is not in the catalog.
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
    if config.model_id is not None:
        return embedded_file(Path(config.model_id), settings=settings)
    return embedded_model(config.model_alias, settings=settings)


def embedded_model(alias: str, *, settings: Settings) -> EmbeddedRuntime:
    """Make a runtime for a catalog model that is in the store."""
    entry = load_catalog().resolve(alias)
    if entry.purpose is not ModelPurpose.CHAT:
        raise ConfigError(
            field="model_alias",
            value=alias,
            remedy="this model embeds sentences; choose one that answers: `smallhold models list`",
        )
    path = ModelStore(settings.model_store).find(entry)
    if path is None:
        raise ModelNotInstalledError(alias=alias)
    config = ModelConfig(path=path, name=alias, snapshot_folder=settings.cache / "prefixes")
    calibration = None if entry.calibration is None else packaged_calibration(entry.calibration)
    return _embedded(config, dialect=DIALECTS[entry.call_dialect], calibration=calibration)


def embedded_file(path: Path, *, settings: Settings) -> EmbeddedRuntime:
    """Make a runtime for a GGUF file outside the store."""
    config = ModelConfig(path=path, name=path.stem, snapshot_folder=settings.cache / "prefixes")
    return _embedded(config, dialect=HERMES)


def installed_embedder() -> Embedder | None:
    """Open the sentence model that finds tools by their meaning, if it has been pulled.

    Raises:
        InvalidWeightsError: its file is not sound.
    """
    return installed_sentence_embedder(settings=load_settings())


def _embedded(
    config: ModelConfig, *, dialect: CallDialect, calibration: Calibration | None = None
) -> EmbeddedRuntime:
    # Not at import: agents on other runtimes need no engine installed.
    try:
        from smallhold.runtimes.embedded import EmbeddedRuntime  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise EngineNotInstalledError(missing=str(error.name)) from error
    return EmbeddedRuntime(config, dialect=dialect, calibration=calibration)
