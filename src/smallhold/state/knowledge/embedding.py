"""What chunks and questions mean: this file holds their embedding, by a model known again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from smallhold.exceptions import (
    ConfigError,
    EmbeddingModelChangedError,
    EngineNotInstalledError,
    ModelNotInstalledError,
    ModelOutputError,
    UnsignedModelError,
)
from smallhold.generation import EmbedRequest, Pooling, Prompt
from smallhold.messages import Message, Role
from smallhold.models import ModelPurpose, open_catalog, open_store
from smallhold.runtimes.protocol import Embedder
from smallhold.runtimes.sentence_models import DEFAULT_SENTENCE_MODEL
from smallhold.runtimes.vector_cache import CachedEmbedder
from smallhold.settings import Settings

PROBE: Final = "The quick brown fox jumps over the lazy dog near 17 grey stones."
SAME_MODEL: Final = 0.995
"""Cosine of two vectors of the probe by one model. The same weights on two machines give 1.0000,
two models 0.1 and less, and two quantizations of one model up to 0.99."""
_VECTOR_LENGTH_SLACK: Final = 1e-6

Vectors = npt.NDArray[np.float32]
"""float32 [texts, dimensions], each row of length 1."""


@runtime_checkable
class BatchEmbedder(Protocol):
    """An embedder that is faster when it gets many texts at once."""

    async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        """Embed texts; vectors in their order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingModel:
    """By what a model is known again."""

    key: str
    """32 hexadecimal digits."""
    probe: tuple[float, ...]
    """Its vector of `PROBE`."""

    def require_same(self, probe: Sequence[float]) -> None:
        """Check that a model gives the probe the same vector.

        Raises:
            EmbeddingModelChangedError: It does not.
        """
        similarity = 0.0
        if len(probe) == len(self.probe):
            similarity = float(np.dot(np.asarray(probe), np.asarray(self.probe)))
        if similarity < SAME_MODEL:
            raise EmbeddingModelChangedError(
                similarity=similarity,
                dimensions=len(probe),
                stored_dimensions=len(self.probe),
            )


def model_of(probe: Sequence[float]) -> EmbeddingModel:
    """Describe a model that nothing was embedded with yet."""
    values = tuple(float(value) for value in probe)
    key = hashlib.sha256(np.asarray(values, dtype="<f4").tobytes()).hexdigest()[:32]
    return EmbeddingModel(key=key, probe=values)


async def vectors_of(texts: Sequence[str], *, embedder: Embedder) -> Vectors:
    """Embed texts, together where the embedder can.

    Raises:
        ModelOutputError: A vector has no direction or another size.
        ContextOverflowError: A text is too long for the embedder.
    """
    # A CachedEmbedder would write vectors into a file of its own, in the clear and past erasure.
    if isinstance(embedder, BatchEmbedder) and not isinstance(embedder, CachedEmbedder):
        found: Sequence[Sequence[float]] = await embedder.embed_texts(texts)
    else:
        found = [await _vector(text, embedder=embedder) for text in texts]
    return _checked(found)


def sentence_model(settings: Settings, *, alias: str = DEFAULT_SENTENCE_MODEL) -> Embedder | None:
    """Open a sentence model of the store, without a cache.

    `None` where it is not installed, or has not the signature that the settings require.

    Raises:
        InvalidWeightsError: Its file is there and not sound.
        ConfigError: The model embeds no sentences.
    """
    try:
        entry = open_catalog(settings).resolve(alias)
    except UnsignedModelError:
        return None
    if entry.purpose is not ModelPurpose.SENTENCES:
        raise ConfigError(field="sentence model", value=alias, remedy="it embeds no sentences")
    try:
        path = open_store(settings).verified_path(entry)
        # Not at import: agents without documents need no numpy.
        from smallhold.runtimes.sentences import SentenceEmbedder  # noqa: PLC0415 - see above
    except (ModelNotInstalledError, EngineNotInstalledError, ModuleNotFoundError):
        return None
    return SentenceEmbedder(path)


async def _vector(text: str, *, embedder: Embedder) -> tuple[float, ...]:
    prompt = Prompt(messages=(Message(role=Role.USER, content=text),))
    embedding = await embedder.embed(EmbedRequest(prompt=prompt, pooling=Pooling.MEAN))
    return embedding.vector


def _checked(found: Sequence[Sequence[float]]) -> Vectors:
    try:
        vectors = np.asarray(found, dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1)
    except ValueError as error:
        raise ModelOutputError(
            runtime="embedder", problem="its vectors are of different sizes"
        ) from error
    if not (np.isfinite(lengths).all() and (lengths > _VECTOR_LENGTH_SLACK).all()):
        raise ModelOutputError(runtime="embedder", problem="a vector of it has no direction")
    return vectors / lengths[:, None]
