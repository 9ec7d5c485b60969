"""Decoding under a grammar: this file holds the matcher around llguidance.

A grammar that cannot be built is an error before decoding, never an unconstrained answer. Tokens
that the grammar leaves no choice about are taken without a forward pass of their own
("jump-forward", Source: Zheng et al. 2024, "SGLang: Efficient Execution of Structured Language
Model Programs", section 4).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, cast

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from numpy.typing import NDArray

from smallhold.engine.llama import Model, tokenize_address
from smallhold.engine.sampling import pick_token
from smallhold.engine.schema_support import enforceable
from smallhold.exceptions import DecodeError, UnsupportedSchemaError
from smallhold.generation import Constraint, JsonSchemaConstraint, Sampling
from smallhold.messages import JsonObject

_JSON_STYLE: Final[JsonObject] = {
    # The spelling of `json.dumps`, which chat templates use, so that it is the likeliest one.
    "item_separator": ", ",
    "key_separator": ": ",
    "whitespace_flexible": False,
}
_LARK_WORD: Final = re.compile(
    r"""
    //[^\n]*                        # comment
    | "(?:\\.|[^"\\\n])*"           # string, also those inside `%json`
    | /(?:\\.|[^/\\\n])+/           # regular expression
    | [\w-]+                        # name
    """,
    re.VERBOSE,
)
"""What may contain the word `start` in a Lark grammar; only a name can be the rule."""
_INNER_START: Final = "sentence_after_prefix"
_CONTROL_MARK: Final = b"\xff"
_BITS_PER_WORD: Final = 32
_MAX_SCHEMA_CHARS: Final = 1_000_000
"""A schema this long is no tool's; llguidance would spend seconds on it."""


def vocabulary_tokenizer(model: Model) -> LLTokenizer:
    """Read a model's vocabulary for llguidance; half a second for 150,000 tokens."""
    # llguidance's own reader asks for each token three times, and takes twice as long.
    tokens = [_marked(model, token) for token in range(model.n_vocab)]
    factory = cast("Any", LLTokenizer)  # its type information lacks the method
    return factory.from_llamacpp(
        tokens=tokens,
        vocab_ptr=model.vocab,
        tokenize_fptr=tokenize_address(),
        eos_token=sorted(model.end_tokens),
    )


def _marked(model: Model, token: int) -> bytes:
    """Spell a token, with a byte that no text has before those that are more than their spelling.

    Source: llguidance 1.9.1, `llguidance/llamacpp.py`.
    """
    piece = model.piece(token)
    if token not in model.special_tokens:
        return piece
    is_control = token in model.control_tokens or (piece.startswith(b"<") and piece.endswith(b">"))
    return _CONTROL_MARK + piece if is_control else piece


def constraint_to_lark(constraint: Constraint, *, literal_prefix: str) -> str:
    """Write a constraint as llguidance's Lark, after text that is already decided.

    Args:
        constraint: What the output must satisfy.
        literal_prefix: Text that comes before the output. It belongs to the grammar and not to the
            prompt so that its last token may span into the output, as it does in training text.

    Raises:
        UnsupportedSchemaError: the schema is too long, or says what would not be enforced.
    """
    if isinstance(constraint, JsonSchemaConstraint):
        schema = json.dumps({**enforceable(constraint.schema), "x-guidance": _JSON_STYLE})
        if len(schema) > _MAX_SCHEMA_CHARS:
            raise UnsupportedSchemaError(
                subject="The schema",
                detail=f"it has {len(schema):,} characters, allowed are {_MAX_SCHEMA_CHARS:,}",
            )
        prefix = f"{json.dumps(literal_prefix)} " if literal_prefix else ""
        closing = f" {json.dumps(constraint.closing)}" if constraint.closing else ""
        return f"start: {prefix}output{closing}\noutput: %json {schema}\n"
    if not literal_prefix:
        return constraint.grammar
    body = _LARK_WORD.sub(_renamed_start, constraint.grammar)
    return f"start: {json.dumps(literal_prefix)} {_INNER_START}\n{body}"


def _renamed_start(match: re.Match[str]) -> str:
    return _INNER_START if match[0] == "start" else match[0]


class Grammar:
    """The state of one constrained generation.

    Raises:
        UnsupportedSchemaError: the schema or grammar cannot be enforced.
    """

    def __init__(self, tokenizer: LLTokenizer, lark: str) -> None:
        self._matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(lark), log_level=0)
        if self._matcher.is_error():
            raise UnsupportedSchemaError(
                subject="The schema", detail=_first_line(self._matcher.get_error())
            )
        words = (tokenizer.vocab_size + _BITS_PER_WORD - 1) // _BITS_PER_WORD
        self._mask = np.zeros(words, dtype=np.uint32)

    def forced_tokens(self) -> list[int]:
        """Take the tokens that come next whatever the model thinks; they are consumed."""
        tokens = self._matcher.compute_ff_tokens()
        if tokens:
            self.accept(tokens)
        return tokens

    def pick(
        self, logits: NDArray[np.float32], sampling: Sampling, *, rng: np.random.Generator
    ) -> int:
        """Choose the next token among those that the grammar allows.

        Only the allowed tokens' logits are looked at.

        Args:
            logits: float32 [n_vocab]
            sampling: How to choose.
            rng: Source of randomness, one per request.
        """
        self._compute_mask()
        if sampling.temperature <= 0.0:
            likeliest = int(np.argmax(logits))
            if self._allows(likeliest):
                return likeliest
        allowed = self._unpacked_mask()
        allowed = allowed[: np.searchsorted(allowed, len(logits))]
        return int(allowed[pick_token(logits[allowed], sampling, rng=rng)])

    def allowed_tokens(self) -> NDArray[np.intp]:
        """List the tokens that may come next, ascending."""
        self._compute_mask()
        return self._unpacked_mask()

    def valid_length(self, tokens: list[int]) -> int:
        """Count the leading tokens that the grammar would accept next; none is consumed."""
        return self._matcher.validate_tokens(tokens) if tokens else 0

    def accept(self, tokens: list[int]) -> None:
        """Advance over tokens. Raises `DecodeError` if the grammar forbids one."""
        self._matcher.consume_tokens(tokens)
        self._check()

    @property
    def is_complete(self) -> bool:
        """Whether the output is a whole sentence that nothing can be added to."""
        return self._matcher.is_stopped()

    @property
    def may_end(self) -> bool:
        """Whether the output so far is a whole sentence."""
        return self._matcher.is_accepting()

    def _compute_mask(self) -> None:
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._check()

    def _allows(self, token: int) -> bool:
        word, bit = divmod(token, _BITS_PER_WORD)
        return word < len(self._mask) and bool(self._mask[word] >> np.uint32(bit) & np.uint32(1))

    def _unpacked_mask(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.unpackbits(self._mask.view(np.uint8), bitorder="little"))

    def _check(self) -> None:
        if self._matcher.is_error():
            raise DecodeError(
                problem=f"the grammar failed: {_first_line(self._matcher.get_error())}"
            )


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else "no reason given"
    return line[:300]
