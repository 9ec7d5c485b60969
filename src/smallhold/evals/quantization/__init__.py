"""What a quantization costs: this package holds its comparison with the file it was made of."""

from smallhold.evals.quantization.comparison import QuantizedFile, to_document
from smallhold.evals.quantization.passage import read_passage
from smallhold.evals.quantization.text_quality import TextQuality, agreement, text_quality

__all__ = [
    "QuantizedFile",
    "TextQuality",
    "agreement",
    "read_passage",
    "text_quality",
    "to_document",
]
