"""llama-cpp-python's high-level API as a peer: this file holds the process that answers with it.

It writes `{"ready": true}` once the model is loaded. Then each line of stdin is a request
`{"prompt", "max_tokens", "schema" or "labels" or neither}`, answered by lines of
`{"text"}` and one of `{"done"}` or `{"error"}`. It ends when its stdin closes.
"""

# llama_cpp's classes are only partly typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import llama_cpp
from settings import PeerSettings, private_stdout, read_settings, send


def make_llama(settings: PeerSettings) -> llama_cpp.Llama:
    """Load the model with the library's defaults but for what the settings say."""
    more: dict[str, Any] = {}
    if settings.batch_tokens is not None:
        more["n_batch"] = settings.batch_tokens
    if settings.flash_attention is not None:
        more["flash_attn"] = settings.flash_attention
    return llama_cpp.Llama(
        settings.model,
        n_ctx=settings.context_tokens,
        n_threads=settings.threads,
        n_threads_batch=settings.threads,
        verbose=False,
        **more,
    )


def grammar_of(request: dict[str, Any]) -> llama_cpp.LlamaGrammar | None:
    """Make the library's own grammar of a request's schema or labels."""
    if request.get("schema") is not None:
        schema = json.dumps(request["schema"])
        return llama_cpp.LlamaGrammar.from_json_schema(schema, verbose=False)
    if request.get("labels") is not None:
        return llama_cpp.LlamaGrammar.from_string(labels_grammar(request["labels"]), verbose=False)
    return None


def labels_grammar(labels: Sequence[str]) -> str:
    """Write llama.cpp's grammar of a choice."""
    return f"root ::= {' | '.join(json.dumps(label) for label in labels)}"


def answer(llama: llama_cpp.Llama, request: dict[str, Any], *, out: TextIO) -> None:
    """Stream one answer."""
    prompt = llama.tokenize(request["prompt"].encode(), add_bos=True, special=True)
    before = llama.input_ids[: llama.n_tokens].tolist()
    cached = min(llama_cpp.Llama.longest_token_prefix(before, prompt), len(prompt) - 1)
    finish: str | None = None
    for chunk in llama.create_completion(
        prompt,
        max_tokens=request["max_tokens"],
        temperature=0.0,
        grammar=grammar_of(request),
        stream=True,
    ):
        (choice,) = chunk["choices"]  # type: ignore[index]
        finish = choice["finish_reason"] or finish  # type: ignore[index]
        if choice["text"]:  # type: ignore[index]
            send(out, {"text": choice["text"]})  # type: ignore[index]
    # The last token is evaluated only where generation went on after it.
    made = llama.n_tokens - len(prompt) + (finish == "length")
    send(
        out,
        {
            "done": {
                "prompt_tokens": len(prompt),
                "cached_tokens": cached,
                "completion_tokens": made,
            }
        },
    )


def main() -> None:
    """Answer until stdin closes."""
    out = private_stdout()
    llama = make_llama(read_settings())
    send(out, {"ready": True, "version": llama_cpp.__version__})
    for line in sys.stdin:
        try:
            answer(llama, json.loads(line), out=out)
        except (ValueError, RuntimeError, TypeError) as error:
            send(out, {"error": f"{type(error).__name__}: {error}"[:500]})


if __name__ == "__main__":
    main()
