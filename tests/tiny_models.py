"""Models of random weights that load in milliseconds: this file holds writers of small GGUF files.

They know nothing, but are evaluated as any model of their architecture is: what an engine does to
caches, batches and memories shows in their output.
"""

# gguf's writer takes arrays of any type.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gguf
import numpy as np
from numpy.typing import NDArray

from smallhold.models.gguf.header import read_gguf_header

TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROLS: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES: Final = (
    "Ġ t", "h e", "Ġt he", "i n", "o n", "a n", "Ġa n", "Ġan d", '" :', '" ,', '{ "', '" }', "r e",
    "o u", "Ġ s", "Ġ w", "Ġ o", "Ġo f",
)  # fmt: skip
"""A few pairs that become one token, so that tokens cross the borders of JSON's own."""

CONTEXT_TOKENS: Final = 4096
WIDTH: Final = 64
HEAD_WIDTH: Final = 16
HEADS: Final = WIDTH // HEAD_WIDTH
KEY_HEADS: Final = 2
FEED_FORWARD: Final = 128
LAYERS: Final = 2
WINDOW_TOKENS: Final = 32
"""Sliding window of `write_sliding_window`."""
STATE_WIDTH: Final = 8
STATE_HEADS: Final = 4
LORA_RANK: Final = 4

_NORMAL_TOKEN: Final = 1
_CONTROL_TOKEN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Bytes, a few pairs of them and ChatML's control tokens, written as GPT-2 writes them."""

    tokens: tuple[str, ...]

    def write(self, writer: gguf.GGUFWriter) -> None:
        kinds = [_CONTROL_TOKEN] * len(CONTROLS)
        kinds += [_NORMAL_TOKEN] * (len(self.tokens) - len(CONTROLS))
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(list(self.tokens))
        writer.add_token_types(kinds)
        writer.add_token_merges(list(MERGES))
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_add_bos_token(False)  # noqa: FBT003 - the writer's own signature
        writer.add_chat_template(TEMPLATE)


def byte_vocabulary() -> Vocabulary:
    """Every byte is a token, so that any text can be spelled, and no model need be at hand."""
    shown = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    hidden = [chr(256 + place) for place in range(256 - len(shown))]
    return Vocabulary(
        tokens=(*CONTROLS, *shown, *hidden, *(merge.replace(" ", "") for merge in MERGES))
    )


class RandomWeights:
    """Draws tensors whose products keep their size, so that logits differ and stay finite."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def matrix(self, inputs: int, outputs: int, *, gain: float = 1.0) -> NDArray[np.float32]:
        """float32 [outputs, inputs], as ggml multiplies it."""
        scale = gain / np.sqrt(inputs)
        return (self._rng.standard_normal((outputs, inputs)) * scale).astype(np.float32)


@contextmanager
def _written(path: Path, architecture: str) -> Generator[gguf.GGUFWriter]:
    writer = gguf.GGUFWriter(path, architecture)
    yield writer
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe_attention(writer: gguf.GGUFWriter) -> None:
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_key_length(HEAD_WIDTH)
    writer.add_value_length(HEAD_WIDTH)
    writer.add_rope_dimension_count(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-5)


def _embedding(weights: RandomWeights, vocabulary: Vocabulary) -> dict[str, NDArray[np.float32]]:
    size = len(vocabulary.tokens)
    return {
        "token_embd.weight": weights.matrix(1, size * WIDTH).reshape(size, WIDTH),
        "output_norm.weight": np.ones(WIDTH, dtype=np.float32),
    }


def _attention_layer(weights: RandomWeights, layer: int) -> dict[str, NDArray[np.float32]]:
    block = f"blk.{layer}."
    keys = KEY_HEADS * HEAD_WIDTH
    return {
        f"{block}attn_norm.weight": np.ones(WIDTH, dtype=np.float32),
        # Sharp attention: what stands far back in the prompt must show in the answer.
        f"{block}attn_q.weight": weights.matrix(WIDTH, HEADS * HEAD_WIDTH, gain=2.0),
        f"{block}attn_k.weight": weights.matrix(WIDTH, keys, gain=2.0),
        f"{block}attn_v.weight": weights.matrix(WIDTH, keys),
        f"{block}attn_output.weight": weights.matrix(HEADS * HEAD_WIDTH, WIDTH),
        f"{block}ffn_norm.weight": np.ones(WIDTH, dtype=np.float32),
        f"{block}ffn_gate.weight": weights.matrix(WIDTH, FEED_FORWARD),
        f"{block}ffn_up.weight": weights.matrix(WIDTH, FEED_FORWARD),
        f"{block}ffn_down.weight": weights.matrix(FEED_FORWARD, WIDTH),
    }


def _output(weights: RandomWeights, vocabulary: Vocabulary) -> dict[str, NDArray[np.float32]]:
    """Weights under which the likeliest token is readable, or the end of the turn."""
    output = weights.matrix(WIDTH, len(vocabulary.tokens), gain=4.0)
    readable = [token.isascii() for token in vocabulary.tokens]
    readable[: len(CONTROLS)] = [False, False, True]
    output[~np.asarray(readable)] = 0.0
    return {"output.weight": output}


def _add_all(writer: gguf.GGUFWriter, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)


def write_llama(path: Path, *, seed: int = 1) -> Path:
    """A transformer with full attention, whose memory can be cut, copied and shifted."""
    weights, vocabulary = RandomWeights(seed), byte_vocabulary()
    with _written(path, "llama") as writer:
        _describe_attention(writer)
        writer.add_vocab_size(len(vocabulary.tokens))
        vocabulary.write(writer)
        _add_all(writer, _embedding(weights, vocabulary))
        for layer in range(LAYERS):
            _add_all(writer, _attention_layer(weights, layer))
        _add_all(writer, _output(weights, vocabulary))
    return path


def write_sliding_window(path: Path, *, seed: int = 2) -> Path:
    """A gemma 3, whose layers see the last `WINDOW_TOKENS` tokens and forget the ones before."""
    weights, vocabulary = RandomWeights(seed), byte_vocabulary()
    with _written(path, "gemma3") as writer:
        _describe_attention(writer)
        writer.add_sliding_window(WINDOW_TOKENS)
        vocabulary.write(writer)
        _add_all(writer, _embedding(weights, vocabulary))
        for layer in range(LAYERS):
            block = f"blk.{layer}."
            _add_all(writer, _attention_layer(weights, layer))
            for name, width in (
                ("post_attention_norm", WIDTH),
                ("post_ffw_norm", WIDTH),
                ("attn_q_norm", HEAD_WIDTH),
                ("attn_k_norm", HEAD_WIDTH),
            ):
                _add_all(writer, {f"{block}{name}.weight": np.ones(width, dtype=np.float32)})
        _add_all(writer, _output(weights, vocabulary))
    return path


def write_recurrent(path: Path, *, seed: int = 3) -> Path:
    """A mamba, whose memory is one state that can be neither cut nor copied in part."""
    weights, vocabulary = RandomWeights(seed), byte_vocabulary()
    inner, rank, kernel = 2 * WIDTH, WIDTH // 16, 4
    with _written(path, "mamba") as writer:
        writer.add_context_length(CONTEXT_TOKENS)
        writer.add_embedding_length(WIDTH)
        writer.add_block_count(LAYERS)
        writer.add_feed_forward_length(0)
        writer.add_head_count(0)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_ssm_conv_kernel(kernel)
        writer.add_ssm_inner_size(inner)
        writer.add_ssm_state_size(STATE_WIDTH)
        writer.add_ssm_time_step_rank(rank)
        vocabulary.write(writer)
        _add_all(writer, _embedding(weights, vocabulary))
        _add_all(writer, _output(weights, vocabulary))
        # Slow decay: the state still tells of the prompt's beginning after a hundred tokens.
        rates = np.tile(np.arange(1.0, STATE_WIDTH + 1.0) / 32, (inner, 1)).astype(np.float32)
        for layer in range(LAYERS):
            block = f"blk.{layer}."
            _add_all(writer, {
                f"{block}attn_norm.weight": np.ones(WIDTH, dtype=np.float32),
                f"{block}ssm_in.weight": weights.matrix(WIDTH, 2 * inner),
                f"{block}ssm_conv1d.weight": weights.matrix(kernel, inner),
                f"{block}ssm_conv1d.bias": np.zeros(inner, dtype=np.float32),
                f"{block}ssm_x.weight": weights.matrix(inner, rank + 2 * STATE_WIDTH, gain=3.0),
                f"{block}ssm_dt.weight": weights.matrix(rank, inner),
                f"{block}ssm_dt.bias": np.full(inner, -2.0, dtype=np.float32),
                f"{block}ssm_a": -rates,
                f"{block}ssm_d": np.ones(inner, dtype=np.float32),
                f"{block}ssm_out.weight": weights.matrix(inner, WIDTH),
            })  # fmt: skip
    return path


def _mixed_heads(writer: gguf.GGUFWriter, attends: tuple[bool, ...]) -> None:
    """Describe attention of which some layers have no heads, as hybrids do."""
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(len(attends))
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv([KEY_HEADS if layer else 0 for layer in attends])
    writer.add_rope_dimension_count(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-5)


def _without_mixing(tensors: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    return {
        name: tensor
        for name, tensor in tensors.items()
        if "attn_norm" in name or "attn_" not in name
    }


def write_hybrid(path: Path, *, seed: int = 5) -> Path:
    """A granite hybrid: one layer of attention among three that keep a running state."""
    weights, vocabulary = RandomWeights(seed), byte_vocabulary()
    attends = (False, True, False, False)
    inner = 2 * WIDTH
    mixed = inner + 2 * STATE_WIDTH
    with _written(path, "granitehybrid") as writer:
        _mixed_heads(writer, attends)
        writer.add_ssm_conv_kernel(4)
        writer.add_ssm_inner_size(inner)
        writer.add_ssm_state_size(STATE_WIDTH)
        writer.add_ssm_group_count(1)
        writer.add_ssm_time_step_rank(STATE_HEADS)
        writer.add_vocab_size(len(vocabulary.tokens))
        vocabulary.write(writer)
        _add_all(writer, _embedding(weights, vocabulary))
        _add_all(writer, _output(weights, vocabulary))
        for layer, has_attention in enumerate(attends):
            block = f"blk.{layer}."
            tensors = _attention_layer(weights, layer)
            _add_all(writer, tensors if has_attention else _without_mixing(tensors))
            if has_attention:
                continue
            _add_all(writer, {
                f"{block}ssm_in.weight": weights.matrix(WIDTH, inner + mixed + STATE_HEADS),
                f"{block}ssm_conv1d.weight": weights.matrix(4, mixed),
                f"{block}ssm_conv1d.bias": np.zeros(mixed, dtype=np.float32),
                f"{block}ssm_dt.bias": np.full(STATE_HEADS, -2.0, dtype=np.float32),
                f"{block}ssm_a": np.full((STATE_HEADS, 1), -0.1, dtype=np.float32),
                f"{block}ssm_d": np.ones((STATE_HEADS, 1), dtype=np.float32),
                f"{block}ssm_norm.weight": np.ones((1, inner), dtype=np.float32),
                f"{block}ssm_out.weight": weights.matrix(inner, WIDTH),
            })  # fmt: skip
    return path


def write_short_convolution(path: Path, *, seed: int = 6) -> Path:
    """An lfm2, whose layers without attention keep the last few tokens of a convolution."""
    weights, vocabulary = RandomWeights(seed), byte_vocabulary()
    attends = (False, False, True)
    kernel = 3
    with _written(path, "lfm2") as writer:
        _mixed_heads(writer, attends)
        writer.add_shortconv_l_cache(kernel)
        writer.add_vocab_size(len(vocabulary.tokens))
        vocabulary.write(writer)
        embedding = _embedding(weights, vocabulary)
        # The output norm bears the embedding's name in this architecture.
        embedding["token_embd_norm.weight"] = embedding.pop("output_norm.weight")
        _add_all(writer, embedding)
        for layer, has_attention in enumerate(attends):
            block = f"blk.{layer}."
            tensors = _attention_layer(weights, layer)
            _add_all(writer, tensors if has_attention else _without_mixing(tensors))
            _add_all(writer, {
                f"{block}attn_q_norm.weight": np.ones(HEAD_WIDTH, dtype=np.float32),
                f"{block}attn_k_norm.weight": np.ones(HEAD_WIDTH, dtype=np.float32),
            } if has_attention else {
                f"{block}shortconv.conv.weight": weights.matrix(kernel, WIDTH),
                f"{block}shortconv.in_proj.weight": weights.matrix(WIDTH, 3 * WIDTH),
                f"{block}shortconv.out_proj.weight": weights.matrix(WIDTH, WIDTH),
            })  # fmt: skip
    return path


def write_lora(path: Path, *, base: Path, seed: int = 4, alpha: float = 64.0) -> Path:
    """An adapter of rank `LORA_RANK` for a model, large enough to change what it answers."""
    weights = RandomWeights(seed)
    header = read_gguf_header(base)
    with _written(path, str(header.architecture)) as writer:
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alpha)
        for tensor in header.tensors:
            if tensor.name.endswith(("attn_q.weight", "attn_v.weight", "attn_output.weight")):
                inputs, outputs = tensor.shape
                writer.add_tensor(f"{tensor.name}.lora_a", weights.matrix(inputs, LORA_RANK))
                writer.add_tensor(f"{tensor.name}.lora_b", weights.matrix(LORA_RANK, outputs))
    return path
