"""A file before and after quantizing: this file holds the two beside each other, as data."""

from __future__ import annotations

from dataclasses import dataclass

from smallhold.evals.bfcl import BFCLReport
from smallhold.evals.quantization.text_quality import TextQuality, agreement
from smallhold.messages import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedFile:
    """What is known of one of the two files; `None` for what was not measured."""

    name: str
    """Alias or file name."""
    quantization: str
    size_bytes: int
    bits_per_weight: float
    memory_bytes: int
    """Estimate of what it takes when it is loaded, without the prefix cache."""
    prefill_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None
    quality: TextQuality | None = None
    bfcl: BFCLReport | None = None

    def to_dict(self) -> JsonObject:
        """The file as JSON."""
        return {
            "name": self.name,
            "quantization": self.quantization,
            "size_bytes": self.size_bytes,
            "bits_per_weight": round(self.bits_per_weight, 3),
            "memory_bytes": self.memory_bytes,
            "prefill_tokens_per_s": _rounded(self.prefill_tokens_per_s),
            "decode_tokens_per_s": _rounded(self.decode_tokens_per_s),
            "text": None if self.quality is None else self.quality.to_dict(),
            "bfcl": None if self.bfcl is None else self.bfcl.to_dict(),
        }


def to_document(before: QuantizedFile, after: QuantizedFile) -> JsonObject:
    """Both files and what they share, as JSON."""
    shared: JsonValue = None
    if before.quality is not None and after.quality is not None:
        ratio = agreement(before.quality, after.quality)
        shared = None if ratio is None else round(ratio, 4)
    return {
        "before": before.to_dict(),
        "after": after.to_dict(),
        "size_ratio": round(after.size_bytes / before.size_bytes, 4),
        "next_token_agreement": shared,
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)
