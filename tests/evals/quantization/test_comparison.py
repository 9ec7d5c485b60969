"""Promises of `smallhold.evals.quantization.comparison`: this file holds tests of its JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from smallhold.evals.quantization.comparison import QuantizedFile, to_document
from smallhold.evals.quantization.text_quality import TextQuality

BEFORE = QuantizedFile(
    name="m:f16", quantization="F16", size_bytes=1000, bits_per_weight=16.0, memory_bytes=5000
)
AFTER = replace(BEFORE, name="m:q4_0", quantization="Q4_0", size_bytes=250, bits_per_weight=4.5)
QUALITY = TextQuality(tokens=2, mean_log_prob=-1.0, likeliest=(4, 5))


def test_what_was_not_measured_is_null() -> None:
    document = to_document(BEFORE, AFTER)
    assert document["size_ratio"] == 0.25
    assert document["next_token_agreement"] is None
    assert json.loads(json.dumps(document)) == document


def test_what_was_measured_is_there() -> None:
    measured = replace(AFTER, quality=replace(QUALITY, likeliest=(4, 9)), decode_tokens_per_s=12.34)
    document = to_document(replace(BEFORE, quality=QUALITY), measured)
    assert document["next_token_agreement"] == 0.5
    after = document["after"]
    assert isinstance(after, dict)
    assert after["decode_tokens_per_s"] == 12.3
