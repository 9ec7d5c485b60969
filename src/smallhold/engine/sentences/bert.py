"""From token ids to a sentence's vector: this file holds the forward pass of a BERT in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from smallhold.exceptions import InvalidWeightsError, ModelOutputError

Floats: TypeAlias = npt.NDArray[np.float32]

_EPSILON: Final = np.float32(1e-12)
"""Source: `layer_norm_eps` of the model's config.json."""
_MASKED: Final = np.float32(-1e9)
_PRODUCT_MAX: Final = 65536 * 4
"""Multiplications of one matrix product. OpenBLAS gives larger ones to all cores, whose threads
wait for each other without sleeping: beside a busy worker, a sentence then takes 400 ms instead of
13. Source: `SMP_THRESHOLD_MIN * GEMM_MULTITHREAD_THRESHOLD` in its interface/gemm.c; measured on 2
cores."""
_BLOCK: Final = 16
"""Columns of a weight matrix that are multiplied at once."""
_ERF: Final = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERF_P: Final = 0.3275911
"""Coefficients of the error function, wrong by at most 1.5e-7. Source: Abramowitz and Stegun 1964,
formula 7.1.26; numpy has no error function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BertShape:
    """Sizes of a model, those of layers multiples of 16; all but `heads` stand in its weights."""

    layers: int
    hidden: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    """Most tokens of one pass, the opening and closing ones included."""


MINILM_L6: Final = BertShape(
    layers=6, hidden=384, heads=12, feed_forward=1536, vocabulary=30522, positions=512
)
"""Source: config.json of sentence-transformers/all-MiniLM-L6-v2."""


class Bert:
    """A BERT whose sentence vector is the mean of its tokens' last states, scaled to length 1.

    Source:
        Devlin et al. 2019, "BERT", section 3; Reimers and Gurevych 2019, "Sentence-BERT",
        section 3 (mean pooling).
    """

    def __init__(
        self, tensors: Mapping[str, npt.NDArray[Any]], *, shape: BertShape, path: str
    ) -> None:
        """Check the weights' shapes.

        Args:
            tensors: Weights by the names that the `transformers` library gives them.
            shape: What they must fit.
            path: Their file, for errors.

        Raises:
            InvalidWeightsError: A tensor is missing or has another shape.
        """
        self.shape = shape
        self._weights: dict[str, Floats] = {}
        for name, wanted in _wanted(shape).items():
            found = tensors.get(name)
            if found is None or found.shape != wanted:
                actual = "missing" if found is None else f"of shape {found.shape}"
                problem = f"tensor {name!r} must be of shape {wanted} and is {actual}"
                raise InvalidWeightsError(path=path, problem=problem)
            self._weights[name] = found.astype(np.float32, copy=False)
        self._blocks = {
            name: _in_blocks(weight)
            for name, weight in self._weights.items()
            if name.startswith("encoder.") and weight.ndim > 1
        }

    def sentence_vectors(self, batch: Sequence[Sequence[int]]) -> Floats:
        """Embed sentences together; the time is that of the longest times their number.

        Args:
            batch: Token ids of each sentence, at least one and at most `positions`.

        Returns:
            float32 [len(batch), hidden], each row of length 1.
        """
        longest = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.float32)
        for row, sentence in enumerate(batch):
            ids[row, : len(sentence)] = sentence
            mask[row, : len(sentence)] = 1
        states = self._states(ids, mask)
        summed = (states * mask[..., None]).sum(axis=1)
        return summed / np.linalg.norm(summed, axis=1, keepdims=True)

    def no_sentences(self, count: int) -> Floats:
        """Make room for the sums of sentences' vectors: float32 [count, hidden], all 0."""
        return np.zeros((count, self.shape.hidden), dtype=np.float32)

    def directions(self, sums: Floats) -> tuple[tuple[float, ...], ...]:
        """Scale sums of sentences' vectors to length 1, as Python's own numbers.

        Raises:
            ModelOutputError: The weights gave something that is no number.
        """
        if not np.isfinite(sums).all():
            raise ModelOutputError(runtime="sentences", problem="a vector that is not finite")
        scaled = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return tuple(tuple(row) for row in scaled.tolist())

    def _states(self, ids: npt.NDArray[np.int64], mask: Floats) -> Floats:
        table = "embeddings."
        states = (
            self._weights[f"{table}word_embeddings.weight"][ids]
            + self._weights[f"{table}position_embeddings.weight"][: ids.shape[1]]
            + self._weights[f"{table}token_type_embeddings.weight"][0]
        )
        states = self._norm(states, f"{table}LayerNorm")
        bias = ((1 - mask) * _MASKED)[:, None, None, :]
        for layer in range(self.shape.layers):
            states = self._layer(states, bias, f"encoder.layer.{layer}.")
        return states

    def _layer(self, states: Floats, bias: Floats, name: str) -> Floats:
        attended = self._linear(
            self._attention(states, bias, name), f"{name}attention.output.dense"
        )
        states = self._norm(states + attended, f"{name}attention.output.LayerNorm")
        inner = _gelu(self._linear(states, f"{name}intermediate.dense"))
        outer = self._linear(inner, f"{name}output.dense")
        return self._norm(states + outer, f"{name}output.LayerNorm")

    def _attention(self, states: Floats, bias: Floats, name: str) -> Floats:
        rows, tokens, hidden = states.shape
        width = hidden // self.shape.heads

        def heads(part: str) -> Floats:
            flat = self._linear(states, f"{name}attention.self.{part}")
            return flat.reshape(rows, tokens, self.shape.heads, width).transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = _product(query, key.transpose(0, 1, 3, 2)) / np.float32(width**0.5) + bias
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        return _product(shares, value).transpose(0, 2, 1, 3).reshape(rows, tokens, hidden)

    def _linear(self, states: Floats, name: str) -> Floats:
        flat = states.reshape(1, -1, states.shape[-1])
        columns = _product(flat, self._blocks[f"{name}.weight"]).transpose(1, 0, 2)
        whole = columns.reshape(flat.shape[1], -1) + self._weights[f"{name}.bias"]
        return whole.reshape(*states.shape[:-1], -1)

    def _norm(self, states: Floats, name: str) -> Floats:
        centred = states - states.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        scale = self._weights[f"{name}.weight"]
        return centred / np.sqrt(variance + _EPSILON) * scale + self._weights[f"{name}.bias"]


def _in_blocks(weight: Floats) -> Floats:
    """Cut a layer's weights, [out, in], into what is multiplied at once: [out / b, in, b]."""
    outputs, inputs = weight.shape
    blocks = weight.reshape(outputs // _BLOCK, _BLOCK, inputs).transpose(0, 2, 1)
    return np.ascontiguousarray(blocks)


def _product(left: Floats, right: Floats) -> Floats:
    """Multiply stacks of matrices, [..., m, k] and [..., k, n], some rows at a time."""
    inner, columns = right.shape[-2:]
    rows = max(1, _PRODUCT_MAX // (inner * columns))
    pieces = [
        np.matmul(left[..., start : start + rows, :], right)
        for start in range(0, left.shape[-2], rows)
    ]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-2)


def _gelu(states: Floats) -> Floats:
    """The exact form, x * (1 + erf(x / sqrt 2)) / 2. Source: Hendrycks and Gimpel 2016, eq. 1."""
    size = np.abs(states) * np.float32(0.5**0.5)
    step = 1 / (1 + np.float32(_ERF_P) * size)
    series = np.float32(0)
    for factor in reversed(_ERF):
        series = (series + np.float32(factor)) * step
    erf = np.copysign(1 - series * np.exp(-size * size), states)
    return states * (1 + erf) * np.float32(0.5)


def _wanted(shape: BertShape) -> dict[str, tuple[int, ...]]:
    wide, inner = shape.hidden, shape.feed_forward
    wanted: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (shape.vocabulary, wide),
        "embeddings.position_embeddings.weight": (shape.positions, wide),
        "embeddings.token_type_embeddings.weight": (2, wide),
        "embeddings.LayerNorm.weight": (wide,),
        "embeddings.LayerNorm.bias": (wide,),
    }
    for layer in range(shape.layers):
        name = f"encoder.layer.{layer}."
        linear = {f"attention.self.{part}": (wide, wide) for part in ("query", "key", "value")}
        linear["attention.output.dense"] = (wide, wide)
        linear["intermediate.dense"] = (inner, wide)
        linear["output.dense"] = (wide, inner)
        for part, sizes in linear.items():
            wanted[f"{name}{part}.weight"] = sizes
            wanted[f"{name}{part}.bias"] = sizes[:1]
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            wanted[f"{name}{part}.weight"] = (wide,)
            wanted[f"{name}{part}.bias"] = (wide,)
    return wanted
