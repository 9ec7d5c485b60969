"""Did users say so of themselves: this file holds the check of noted values against their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SENTENCE_END: Final = re.compile(
    r"(?<=[.?!;])\s+|(?<=[。？！；])|\n+"  # noqa: RUF001 - full-width marks
)
_EDGE: Final = " \t\r\n.,;:!?\"'`«»“”„()[]{}"
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MARK: Final = re.compile(r"<[|/]?\w*|[|]>|\[/?[A-Z_]+\]|```|[{}]")
"""Chat templates' marks and code, which are no part of what is said about a person."""
_ADDRESS: Final = re.compile(
    r"\b(?:you|your|yourself|assistant|system|prompts?|instructions?|always|never|must|ignore|obey|"
    r"pretend|respond|reply|answer)\b",
    re.IGNORECASE,
)
"""Words of who tells an agent what to do. They keep copied phrases out and understand nothing; what
an agent must never do belongs into a tool policy."""
_OTHERS: Final = re.compile(
    r"\b(?:my|our|his|her|their|the|a|mein|meine|unser|unsere|mon|ma|notre|mi|nuestro|nuestra)\s+"
    r"(?:\w+\s+)?(?:brother|sister|mother|mum|mom|father|dad|parents?|son|daughter|child|kids?|baby|"
    r"wife|husband|partner|girlfriend|boyfriend|friend|neighbou?r|boss|colleague|uncle|aunt|cousin|"
    r"grand\w+|flatmate|roommate|bruder|schwester|mutter|vater|eltern|sohn|tochter|kind|frau|mann|"
    r"freund|freundin|nachbar|nachbarin|chef|chefin|kollege|kollegin|oma|opa|frère|soeur|sœur|mère|"
    r"père|fils|fille|enfant|femme|mari|ami|amie|voisin|voisine|hermano|hermana|madre|padre|hijo|"
    r"hija|esposa|marido|amigo|amiga|vecino|vecina)\b|\b(?:he|she|they|er|il|elle|él|ella)\b",
    re.IGNORECASE,
)
"""Somebody else, in English, German, French and Spanish."""
_SELF: Final = re.compile(
    r"\b(?:i|me|we|us|ich|mir|mich|wir|je|moi|nous|yo|nosotros)\b|\bj['\u2019]", re.IGNORECASE
)
"""Whoever speaks, after somebody else was named."""
_MINE: Final = re.compile(
    rf"{_SELF.pattern}|\b(?:my|mine|our|ours|mein\w*|unser\w*|mon|ma|mes|notre|nos|mi|mis|me)\b",
    re.IGNORECASE,
)
_QUESTION: Final = ("?", "\uff1f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded:
    """A value with the words of the user that it stands in."""

    value: str
    """As the user wrote it, on one line."""
    quote: str
    """The sentence it stands in."""
    before: str
    """The sentence up to the value."""


def grounded(value: str, text: str) -> Grounded | None:
    """Find a value in a user's message, whatever the case and the gaps; `None`: it is not there.

    Whole words are found only: `nuts` does not stand in `peanuts`.

    Args:
        value: What a model noted.
        text: What the user wrote.
    """
    plain = value.strip(_EDGE)
    if not plain:
        return None
    pattern = r"\s+".join(re.escape(word) for word in plain.split())
    before = r"(?<!\w)" if _is_word_edge(plain[0]) else ""
    after = r"(?!\w)" if _is_word_edge(plain[-1]) else ""
    searched = re.compile(f"{before}{pattern}{after}", re.IGNORECASE)
    for sentence in _sentences(text):
        found = searched.search(sentence)
        if found is not None:
            return Grounded(
                value=" ".join(found[0].split()),
                quote=sentence,
                before=sentence[: found.start()],
            )
    return None


def speaks_to_agent(grounds: Grounded) -> bool:
    """Tell whether a value is rather an instruction than something about a person."""
    return bool(_MARK.search(grounds.value) or _ADDRESS.search(grounds.value))


def is_about_another(grounds: Grounded) -> bool:
    """Tell whether the sentence speaks of a relative or friend where it comes to the value.

    A small model holds `My daughter is allergic to peanuts` to be about the user.
    """
    others = list(_OTHERS.finditer(grounds.before))
    return bool(others) and _SELF.search(grounds.before, others[-1].end()) is None


def is_asked(grounds: Grounded) -> bool:
    """Tell whether a value stands in a question in which nobody speaks of themselves.

    `What is the capital of Peru?` says nothing of whoever asks; `Is that good for my back?` does.
    """
    return grounds.quote.endswith(_QUESTION) and _MINE.search(grounds.quote) is None


def _is_word_edge(character: str) -> bool:
    return character.isalnum() and not _UNSPACED.match(character)


def _sentences(text: str) -> Iterator[str]:
    yield from filter(None, map(str.strip, _SENTENCE_END.split(text)))
