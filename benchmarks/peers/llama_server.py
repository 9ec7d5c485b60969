"""llama.cpp's own HTTP server as a peer: this file holds the process that serves it on loopback.

It writes `{"address": ...}` once the model is loaded, and ends when its stdin closes.
"""

# xllamacpp has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import os
import sys

import xllamacpp
from settings import PeerSettings, private_stdout, read_settings, send


def server_params(settings: PeerSettings) -> xllamacpp.CommonParams:
    """Turn settings into llama.cpp's; whatever is not set here is the server's default.

    Unless `shares_cells` is set, each slot has its own cells, as `llama-server -np N` has it: a
    token then attends to its own conversation's cells only.
    """
    params = xllamacpp.CommonParams()
    params.model.path = settings.model
    params.n_ctx = settings.context_tokens * settings.slots
    params.n_parallel = settings.slots
    params.kv_unified = settings.shares_cells
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    params.n_gpu_layers = 0
    params.fit_params = False
    params.ui = False
    params.verbosity = 0
    if settings.batch_tokens is not None:
        params.n_batch = settings.batch_tokens
        params.n_ubatch = min(settings.batch_tokens, params.n_ubatch)
    if settings.flash_attention is not None:
        kinds = xllamacpp.llama_flash_attn_type
        params.flash_attn_type = (
            kinds.LLAMA_FLASH_ATTN_TYPE_ENABLED
            if settings.flash_attention
            else kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
    return params


def main() -> None:
    """Serve until stdin closes."""
    out = private_stdout()
    server = xllamacpp.Server(server_params(read_settings()))
    send(out, {"address": server.listening_address, "version": xllamacpp.__version__})
    sys.stdin.read()
    # The server's own threads would hold up the interpreter's way out.
    os._exit(0)


if __name__ == "__main__":
    main()
