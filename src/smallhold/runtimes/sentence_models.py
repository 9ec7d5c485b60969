"""From an alias to an embedder of sentences: this file holds the choice of a sentence model."""

from __future__ import annotations

from typing import Final

from smallhold.exceptions import (
    ConfigError,
    EngineNotInstalledError,
    ModelNotInstalledError,
    UnsignedModelError,
)
from smallhold.models import ModelPurpose, open_catalog, open_store
from smallhold.runtimes.vector_cache import CachedEmbedder
from smallhold.settings import Settings

DEFAULT_SENTENCE_MODEL: Final = "all-minilm-l6-v2"
"""90 MB, English. Source: docs/tool-retrieval.md."""


def sentence_embedder(alias: str = DEFAULT_SENTENCE_MODEL, *, settings: Settings) -> CachedEmbedder:
    """Open a sentence model of the store, with a cache for the vectors of tools.

    Raises:
        UnknownModelError: The alias is not in the catalog.
        UnsignedModelError: Signatures are required, and it has none that counts.
        ConfigError: The model answers, and embeds no sentences.
        ModelNotInstalledError: It has not been pulled, or its file is not what was stored.
        InvalidWeightsError: Its file is not sound.
        EngineNotInstalledError: numpy is missing.
    """
    catalog = open_catalog(settings)
    entry = catalog.resolve(alias)
    if entry.purpose is not ModelPurpose.SENTENCES:
        known = [known.alias for known in catalog if known.purpose is ModelPurpose.SENTENCES]
        remedy = f"it embeds no sentences; choose {' or '.join(known)}"
        raise ConfigError(field="sentence model", value=alias, remedy=remedy)
    store = open_store(settings)
    path = store.verified_path(entry)
    # Not at import: most agents have few tools, and words alone need no numpy.
    try:
        from smallhold.runtimes.sentences import SentenceEmbedder  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise EngineNotInstalledError(missing=str(error.name)) from error
    # By its digest, since a file of another program's store may have any name.
    model = store.digest(entry) or path.name
    return CachedEmbedder(
        SentenceEmbedder(path), file=settings.cache / "vectors.sqlite", model=model
    )


def installed_sentence_embedder(*, settings: Settings) -> CachedEmbedder | None:
    """Open the default sentence model, or give `None` where it is not here or may not be used.

    Raises:
        InvalidWeightsError: Its file is there and not sound.
    """
    try:
        return sentence_embedder(settings=settings)
    except (ModelNotInstalledError, EngineNotInstalledError, UnsignedModelError):
        return None
