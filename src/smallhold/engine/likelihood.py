"""How likely a model finds a text: this file holds the reading of it, token by token.

Runs inside a job's process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from smallhold.engine.batch import linear_batch
from smallhold.engine.config import MIN_CONTEXT_TOKENS, ModelConfig
from smallhold.engine.job import Likelihoods
from smallhold.engine.llama import MAX_OUTPUTS, Context, Model
from smallhold.engine.program import Mode
from smallhold.engine.sampling import log_softmax

_SEQUENCE: Final = 0


def read_likelihoods(
    path: Path,
    text: str,
    *,
    threads: int,
    batch_threads: int,
    limit_tokens: int,
    on_progress: Callable[[int, int], None],
) -> Likelihoods:
    """Evaluate a text and compare what the model expected with what came.

    Args:
        path: The GGUF file.
        text: Read as plain text: nothing in it is a control token.
        threads: For single tokens.
        batch_threads: For many tokens.
        limit_tokens: Most tokens of the text that are read.
        on_progress: Told how many tokens of how many are done.

    Raises:
        ModelLoadError: llama.cpp refused the file.
        DecodeError: a forward pass failed.
    """
    room_tokens = max(MIN_CONTEXT_TOKENS, limit_tokens)
    config = ModelConfig(
        path=path,
        name=path.stem,
        context_tokens=room_tokens,
        active_tokens=room_tokens,
        batch_tokens=MAX_OUTPUTS,
        cache_bytes=0,
        threads=threads,
        batch_threads=batch_threads,
    )
    with ExitStack() as stack:
        model = Model(config, stack=stack)
        context = Context(model, stack=stack)
        beginning = [model.bos] if model.adds_bos and model.bos >= 0 else []
        tokens = (beginning + model.tokenize(text, parse_special=False))[:limit_tokens]
        return _evaluate(context, tokens, on_progress=on_progress)


def _evaluate(
    context: Context, tokens: list[int], *, on_progress: Callable[[int, int], None]
) -> Likelihoods:
    log_probs: list[float] = []
    likeliest: list[int] = []
    for start in range(0, len(tokens) - 1, MAX_OUTPUTS):
        chunk = tokens[start : min(start + MAX_OUTPUTS, len(tokens) - 1)]
        batch = linear_batch(chunk, start=start, sequence=_SEQUENCE, outputs=len(chunk))
        context.decode(batch, Mode())
        for row in range(len(chunk)):
            expected = log_softmax(context.logits(row))
            log_probs.append(float(expected[tokens[start + row + 1]]))
            likeliest.append(int(np.argmax(expected)))
        on_progress(start + len(chunk), len(tokens) - 1)
    return Likelihoods(tokens=tokens, log_probs=log_probs, likeliest=likeliest)
