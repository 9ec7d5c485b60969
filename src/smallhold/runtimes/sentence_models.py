"""From an alias to an embedder of sentences: this file holds the choice of a sentence model."""

from __future__ import annotations

from typing import Final

from smallhold.exceptions import ConfigError, EngineNotInstalledError, ModelNotInstalledError
from smallhold.models import ModelPurpose, ModelStore, load_catalog
from smallhold.runtimes.vector_cache import CachedEmbedder
from smallhold.settings import Settings

DEFAULT_SENTENCE_MODEL: Final = "all-minilm-l6-v2"
"""90 MB, English. Source: docs/tool-retrieval.md."""


def sentence_embedder(alias: str = DEFAULT_SENTENCE_MODEL, *, settings: Settings) -> CachedEmbedder:
    """Open a sentence model of the store, with a cache for the vectors of tools.

    Raises:
        UnknownModelError: The alias is not in the catalog.
        ConfigError: The model answers, and embeds no sentences.
        ModelNotInstalledError: It has not been pulled.
        InvalidWeightsError: Its file is not sound.
        EngineNotInstalledError: numpy is missing.
    """
    entry = load_catalog().resolve(alias)
    if entry.purpose is not ModelPurpose.SENTENCES:
        known = [known.alias for known in load_catalog() if known.purpose is ModelPurpose.SENTENCES]
        remedy = f"it embeds no sentences; choose {' or '.join(known)}"
        raise ConfigError(field="sentence model", value=alias, remedy=remedy)
    path = ModelStore(settings.model_store).require(entry)
    # Not at import: most agents have few tools, and words alone need no numpy.
    try:
        from smallhold.runtimes.sentences import SentenceEmbedder  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise EngineNotInstalledError(missing=str(error.name)) from error
    # The file's name in the store is its digest, so another model's vectors are never taken.
    return CachedEmbedder(
        SentenceEmbedder(path), file=settings.cache / "vectors.sqlite", model=path.name
    )


def installed_sentence_embedder(*, settings: Settings) -> CachedEmbedder | None:
    """Open the default sentence model, or give `None` where it cannot be had without a download.

    Raises:
        InvalidWeightsError: Its file is there and not sound.
    """
    try:
        return sentence_embedder(settings=settings)
    except (ModelNotInstalledError, EngineNotInstalledError):
        return None
