"""From text to the token ids of a BERT: this file holds the WordPiece tokenizer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Final

UNKNOWN: Final = "[UNK]"
OPENING: Final = "[CLS]"
CLOSING: Final = "[SEP]"
_CONTINUES: Final = "##"
_WORD_MAX_CHARS: Final = 100
"""Longer words become `UNKNOWN`. Source: `max_input_chars_per_word` of BERT's tokenization.py."""
_ASCII_LAST: Final = 0x7F
_REMOVED: Final = frozenset({"Cc", "Cf", "Co"})
"""Unicode categories of characters that vanish: control, format and private use."""
_IDEOGRAPHS: Final = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip
"""Blocks whose characters are words of their own. Source: BertNormalizer of tokenizers 0.22."""


@cache
def english_vocabulary() -> Mapping[str, int]:
    """Pieces of the lower-case English BERT and their ids, which its small descendants share.

    Source: `vocab.txt` of google-research/bert, uncased (Apache-2.0), 30,522 pieces.
    """
    file = resources.files("smallhold.engine.sentences").joinpath("vocabulary.txt")
    # Not splitlines: some pieces are characters that Python takes for the end of a line.
    pieces = file.read_text("utf-8").removesuffix("\n").split("\n")
    return {piece: number for number, piece in enumerate(pieces)}


def token_ids(text: str, *, vocabulary: Mapping[str, int]) -> list[int]:
    """Turn text into token ids without the opening and closing ones.

    Names of special tokens in the text, such as `[SEP]`, are text like any other.

    Source:
        Devlin et al. 2019, "BERT", section 3; Wu et al. 2016, "Google's Neural Machine Translation
        System", section 4.1 (WordPiece, the longest piece first).
    """
    unknown = vocabulary[UNKNOWN]
    ids: list[int] = []
    for word in basic_words(text):
        ids.extend(_pieces(word, vocabulary=vocabulary) or [unknown])
    return ids


def basic_words(text: str) -> list[str]:
    """Split text into lower-case words without accents; punctuation marks stand alone."""
    spaced = "".join(_cleaned(text))
    plain = "".join(
        char for char in unicodedata.normalize("NFD", spaced) if unicodedata.category(char) != "Mn"
    )
    return "".join(_apart(plain.lower())).split()


def _cleaned(text: str) -> Iterator[str]:
    for char in text:
        if char in "\t\n\r" or unicodedata.category(char) == "Zs":
            yield " "
        elif _is_ideograph(char):
            yield f" {char} "
        elif char != "\ufffd" and unicodedata.category(char) not in _REMOVED:
            yield char


def _apart(text: str) -> Iterator[str]:
    for char in text:
        yield f" {char} " if _is_punctuation(char) else char


def _is_ideograph(char: str) -> bool:
    code = ord(char)
    return any(first <= code <= last for first, last in _IDEOGRAPHS)


def _is_punctuation(char: str) -> bool:
    # BERT counts all of ASCII's signs, such as `$` and `^`, which Unicode holds for symbols.
    if ord(char) <= _ASCII_LAST:
        return not char.isalnum() and not char.isspace()
    return unicodedata.category(char).startswith("P")


def _pieces(word: str, *, vocabulary: Mapping[str, int]) -> list[int]:
    """Cut a word into the longest pieces that there are; empty when it cannot be done."""
    if len(word) > _WORD_MAX_CHARS:
        return []
    ids: list[int] = []
    start = 0
    while start < len(word):
        prefix = _CONTINUES if start else ""
        for end in range(len(word), start, -1):
            number = vocabulary.get(prefix + word[start:end])
            if number is not None:
                ids.append(number)
                start = end
                break
        else:
            return []
    return ids
