"""Texts as a reader sees them: this file holds the undoing of disguises before patterns are sought.

Compatibility forms, letter case, accents, invisible characters, look-alike letters, digits for
letters and letters spaced out do not change what a language model reads. Here they are folded away.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
"""Accents of Latin, Greek and Cyrillic letters; marks of other scripts are part of the letter."""
_TAG_BASE: Final = 0xE0000
_TAGS: Final = range(0xE0020, 0xE007F)
"""Invisible copies of ASCII. Source: The Unicode Standard, block Tags."""
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u034f\u115f\u1160\u3164]")
"""Variation selectors and fillers, which show nothing and are not in the category Cf."""
_LEET: Final = str.maketrans("013457@$!|", "oieastasil")
_LOOKALIKES_FILE: Final = Path(__file__).with_name("lookalikes.toml")
_HIDDEN: Final = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0020-\U000e007e]{2,}")
_LATIN: Final = re.compile("[a-z]")
_TOKEN: Final = re.compile(r"\S+")
_WORDLIKE: Final = re.compile(r"[\w@$!|]{3,}")
_SIGN: Final = re.compile(r"[\d@$!|]")
_SPACED: Final = re.compile(r"(?<!\w)\w(?:[ ._*-]\w){4,}(?!\w)")
"""Five letters or more with one separator between each two."""
_BETWEEN: Final = re.compile(r"[ ._*-]")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")
MAX_DECODED: Final = 32
"""Encoded parts that are looked into in one text; more are not decoded."""
_READABLE_RATIO: Final = 0.9
_GROUP: Final = 4


def fold(text: str) -> str:
    """Write a text without case, accents, compatibility forms and invisible characters."""
    shown = "".join(_visible(text))
    # Twice, since small letters of some compatibility forms are such forms again.
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", plain))
    return unicodedata.normalize("NFC", bare)


def _visible(text: str) -> Iterator[str]:
    for character in _SELECTORS.sub("", text):
        code = ord(character)
        if code in _TAGS:
            yield chr(code - _TAG_BASE)
        elif unicodedata.category(character) != "Cf":
            yield character


def has_hidden_text(text: str) -> bool:
    """Tell whether a text holds ASCII written in invisible tag characters, flags apart."""
    # Flags of regions are a black flag with tags behind it; tags behind anything else are hidden.
    return bool(_HIDDEN.search(text))


def views(text: str) -> tuple[str, ...]:
    """Give a text's readings, folded: as it stands, undisguised, and decoded.

    Returns:
        At least one; no two are equal. The first is `fold(text)`.
    """
    found: dict[str, None] = {}
    for reading in (text, *_decoded(text)):
        plain = fold(reading)
        for view in (plain, _mixed_words_latin(plain), skeleton(plain)):
            found[view] = None
    found[codecs.encode(fold(text), "rot13")] = None
    return tuple(found)


@cache
def _lookalikes() -> dict[int, str]:
    rows = tomllib.loads(_LOOKALIKES_FILE.read_text(encoding="utf-8"))
    return {ord(alike): letter for letter, row in rows.items() for alike in row}


def skeleton(folded: str) -> str:
    """Write a folded text in Latin letters alone: look-alikes, digits for letters, spaced letters.

    Args:
        folded: What `fold` gave.
    """
    latin = folded.translate(_lookalikes())
    unleet = _WORDLIKE.sub(lambda found: _letters_for_signs(found[0]), latin)
    return _SPACED.sub(lambda found: _BETWEEN.sub("", found[0]), unleet)


def _letters_for_signs(word: str) -> str:
    return word.translate(_LEET) if _LATIN.search(word) and _SIGN.search(word) else word


def _mixed_words_latin(folded: str) -> str:
    """Fold look-alikes only in words that have Latin letters, so that Russian stays Russian."""
    return _TOKEN.sub(
        lambda found: found[0].translate(_lookalikes()) if _LATIN.search(found[0]) else found[0],
        folded,
    )


def _decoded(text: str) -> Iterator[str]:
    unescaped = html.unescape(text)
    if unescaped != text:
        yield unescaped
    count = 0
    for pattern, decode in ((_BASE64, _from_base64), (_HEX, bytes.fromhex)):
        for found in pattern.finditer(text):
            if count == MAX_DECODED:
                return
            count += 1
            readable = _readable(decode(found[0]))
            if readable:
                yield readable


def _from_base64(text: str) -> bytes:
    standard = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        # One character over a multiple of four encodes nothing and is left out.
        usable = standard[: len(standard) - (len(standard) % _GROUP == 1)]
        return base64.b64decode(usable + "=" * (-len(usable) % _GROUP))
    except binascii.Error:
        return b""


def _readable(data: bytes) -> str:
    """Give bytes as text, or nothing where they are no text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    printable = sum(character.isprintable() or character.isspace() for character in text)
    return text if text and printable >= _READABLE_RATIO * len(text) else ""
