"""What of a model decides the memory it takes: this file holds `ModelShape`.

Numbers only, read out of a GGUF header or written in the catalog: no tensor data is needed.
Source of what each number means: `llama-hparams.cpp` and the files under `src/models` of the
llama.cpp that llama-cpp-python 0.3.36 builds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smallhold.models.gguf.header import GGUFHeader

_BLOCK_TENSOR: Final = re.compile(r"blk\.([0-9]+)\.([a-z0-9_]+)\.")
_KEY_TENSORS: Final = frozenset({"attn_k", "attn_kv_a_mqa", "attn_kv"})
_MERGED_KEY_TENSOR: Final = "attn_qkv"
_STATE_TENSORS: Final = frozenset({"ssm_conv1d", "shortconv", "time_mix_key"})
_SHARED_FROM: Final = MappingProxyType({"gemma3n": 20})
"""Layers from here on use the keys and values of an earlier one, in architectures whose files do
not say so."""
_DEFAULT_TOKEN_SHIFT: Final = 2
_WITHOUT_MEMORY: Final = frozenset({
    *("bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "eurobert"),
    *("jina-bert-v2", "jina-bert-v3", "gemma-embedding", "t5encoder"),
})
"""Architectures that read a text as a whole and keep nothing of it."""
KNOWN_ARCHITECTURES: Final = _WITHOUT_MEMORY | frozenset({
    *("llama", "llama4", "mistral3", "smollm3", "arcee", "apertus", "seed_oss"),
    *("qwen2", "qwen2moe", "qwen3", "qwen3moe", "qwen3next", "qwen35", "qwen35moe"),
    *("phi2", "phi3", "phimoe", "gemma", "gemma2", "gemma3", "gemma3n", "gemma4", "gpt-oss"),
    *("granite", "granitemoe", "granitehybrid", "lfm2", "lfm2moe", "falcon-h1", "jamba"),
    *("mamba", "mamba2", "rwkv6", "rwkv7", "nemotron", "nemotron_h", "olmo2", "olmoe"),
    *("starcoder2", "stablelm", "internlm2", "minicpm", "exaone", "exaone4", "command-r"),
    *("cohere2", "glm4", "deepseek2", "ernie4_5", "hunyuan-dense", "gptneox", "falcon"),
})
"""Architectures whose memory is what the numbers of a `ModelShape` say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """The sizes of a model's graph; 0 for what the model has not, or does not say."""

    architecture: str
    """Family of the graph, such as `llama` or `qwen2`."""
    block_count: int
    """Layers of any kind."""
    embedding_length: int
    """Width of the residual stream."""
    feed_forward_length: int
    """Width inside a feed-forward layer; the widest layer's."""
    head_count: int
    """Attention heads; the largest layer's."""
    head_count_kv: int
    """Key and value heads; the largest layer's."""
    key_length: int
    """Width of one key."""
    value_length: int
    """Width of one value; 0 where values are computed out of the keys."""
    vocabulary_size: int
    context_length: int = 0
    """Tokens of context that the model was trained for."""
    attention_layers: int | None = None
    """Layers that keep keys and values; `None` is all of them."""
    sliding_window: int = 0
    """Tokens that a layer with a window sees; 0 is none. The engine keeps all cells all the same,
    since a window's could be neither forked nor cut, so it costs a mask and saves nothing."""
    recurrent_layers: int = 0
    """Layers that keep a running state."""
    recurrent_elements: int = 0
    """Numbers (float32) of one layer's running state of one sequence."""
    expert_count: int = 0
    """Experts to choose among; 0 for a model that has no experts."""
    experts_used: int = 0
    """Experts that one token passes through."""

    @property
    def kv_layers(self) -> int:
        """Layers that keep keys and values."""
        return self.block_count if self.attention_layers is None else self.attention_layers

    @property
    def key_elements(self) -> int:
        """Numbers of one token's keys in all layers together; where layers differ, at most."""
        return self.kv_layers * self.head_count_kv * self.key_length

    @property
    def value_elements(self) -> int:
        """Numbers of one token's values in all layers together.

        Values lie transposed, for which every layer gets the room of the largest. Source:
        `n_embd_v_gqa_max` in `llama-kv-cache.cpp`.
        """
        return self.kv_layers * self.head_count_kv * self.value_length

    @property
    def is_known(self) -> bool:
        """Whether the numbers say what the model takes."""
        keeps_something = bool(self.key_elements or self.recurrent_elements)
        return (
            self.architecture in KNOWN_ARCHITECTURES
            and min(self.block_count, self.embedding_length, self.vocabulary_size) > 0
            and (keeps_something or self.architecture in _WITHOUT_MEMORY)
        )

    @classmethod
    def of(cls, header: GGUFHeader) -> ModelShape:
        """Read the shape out of a sound header."""
        blocks = _tensors_of_blocks(header)
        keeping = [block for block, names in blocks.items() if _keeps_keys(names)]
        layers = _sharing_apart(header, len(keeping))
        if header.architecture in _WITHOUT_MEMORY:
            layers = 0
        return cls(
            architecture=header.architecture or "",
            block_count=header.block_count or 0,
            embedding_length=header.embedding_length or 0,
            feed_forward_length=header.number("feed_forward_length") or 0,
            head_count=header.head_count or 0,
            head_count_kv=header.head_count_kv or 0,
            key_length=header.key_length or 0,
            value_length=_value_length(header),
            vocabulary_size=header.vocabulary_size or 0,
            context_length=header.context_length or 0,
            attention_layers=layers,
            sliding_window=header.number("attention.sliding_window") or 0,
            recurrent_layers=sum(bool(names & _STATE_TENSORS) for names in blocks.values()),
            recurrent_elements=_recurrent_elements(header),
            expert_count=header.number("expert_count") or 0,
            experts_used=header.number("expert_used_count") or 0,
        )


def _tensors_of_blocks(header: GGUFHeader) -> Mapping[int, Set[str]]:
    blocks: defaultdict[int, set[str]] = defaultdict(set)
    for tensor in header.tensors:
        if match := _BLOCK_TENSOR.match(tensor.name):
            blocks[int(match[1])].add(match[2])
    return blocks


def _keeps_keys(names: Set[str]) -> bool:
    if names & _KEY_TENSORS:
        return True
    # Layers of linear attention have the merged tensor too, and keep a state in place of keys.
    return _MERGED_KEY_TENSOR in names and not names & _STATE_TENSORS


def _sharing_apart(header: GGUFHeader, layers: int) -> int:
    shared = header.number("attention.shared_kv_layers") or 0
    return min(layers - min(shared, layers), _SHARED_FROM.get(header.architecture or "", layers))


def _value_length(header: GGUFHeader) -> int:
    # Multi-head latent attention keeps one compressed vector, from which values are made again.
    return 0 if header.number("attention.key_length_mla") else header.value_length or 0


def _recurrent_elements(header: GGUFHeader) -> int:
    """Numbers of one state. Source: `n_embd_r` and `n_embd_s` in `llama-hparams.cpp`."""
    width = header.embedding_length or 0
    if head := header.number("wkv.head_size"):
        return width * ((header.number("token_shift_count") or _DEFAULT_TOKEN_SHIFT) + head)
    if short := header.number("shortconv.l_cache"):
        return (short - 1) * width
    inner = header.number("ssm.inner_size") or 0
    state = header.number("ssm.state_size") or 0
    groups = header.number("ssm.group_count") or 0
    kernel = header.number("ssm.conv_kernel") or 0
    return max(0, kernel - 1) * (inner + 2 * groups * state) + inner * state
