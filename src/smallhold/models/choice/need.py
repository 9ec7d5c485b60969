"""What someone looks for in a model: this file holds `Need` and the words it is written in.

A need is a reference or words::

    need      = reference | words
    reference = alias [":" quantization]           phi-4-mini, phi-4-mini:q8_0
    words     = { use | category | preference | memory | context | filler }
    use       = "routing" | "chat" | "reasoning" | "code" | ...
    category  = "ultra-light" | "balanced" | "code-specialist" | "high-capability"
    preference = "best" | "largest" | ... | "fast" | "smallest" | ...
    memory    = number ("MB" | "GB" | "MiB" | "GiB")        4 GB, 1.5GiB
    context   = number ["k"] ("tokens" | "context")         8192 tokens, 32k context
    filler    = "the" | "that" | "fits" | "model" | ...

Words may come in any order, in any case. What is an alias of the catalog is that alias, whatever
else the word may mean.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from smallhold.exceptions import UnknownNeedError
from smallhold.models.catalog.catalog import Category, UseCase, split_reference
from smallhold.settings import parse_bytes


class Preference(StrEnum):
    """Which of several models that fit."""

    MOST_CAPABLE = "most-capable"
    """The one with the most parameters that is fast enough here."""
    FASTEST = "fastest"
    """The one with the fewest parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a model is wanted for; what is left out does not matter."""

    alias: str | None = None
    quantization: str | None = None
    """Of the model `alias`."""
    use_case: UseCase | None = None
    category: Category | None = None
    memory_bytes: int | None = None
    """It must fit this much memory."""
    context_tokens: int | None = None
    """It must take prompt and answer of this many tokens together."""
    preference: Preference = Preference.MOST_CAPABLE
    text: str = ""
    """The need as it was written, for errors."""


USE_WORDS: Final[Mapping[str, UseCase]] = MappingProxyType({
    **{use_case.value: use_case for use_case in UseCase},
    **dict.fromkeys(("routing", "router", "route", "intent"), UseCase.LIGHTWEIGHT_ROUTING),
    **dict.fromkeys(("classification", "classify"), UseCase.LIGHTWEIGHT_ROUTING),
    **dict.fromkeys(("chat", "conversation", "chatting", "talk"), UseCase.GENERAL_CONVERSATION),
    **dict.fromkeys(("general", "assistant"), UseCase.GENERAL_CONVERSATION),
    **dict.fromkeys(("reasoning", "thinking", "math", "maths"), UseCase.COMPLEX_REASONING),
    **dict.fromkeys(("code", "coding", "programming", "coder"), UseCase.CODE_ASSISTANCE),
})
"""What each word says of what a model is wanted for."""
CATEGORY_WORDS: Final[Mapping[str, Category]] = MappingProxyType({
    category.value: category for category in Category
})
PREFERENCE_WORDS: Final[Mapping[str, Preference]] = MappingProxyType({
    **dict.fromkeys(("best", "largest", "biggest", "strongest"), Preference.MOST_CAPABLE),
    **dict.fromkeys(("smartest", "capable", "most"), Preference.MOST_CAPABLE),
    **dict.fromkeys(("fast", "fastest", "quick", "quickest"), Preference.FASTEST),
    **dict.fromkeys(("small", "smallest", "light", "lightest", "tiny"), Preference.FASTEST),
})
FILLERS: Final = frozenset({
    *("a", "all", "an", "and", "any", "can", "fit", "fits", "fitting", "for", "have", "i", "in"),
    *("it", "least", "me", "memory", "model", "models", "my", "need", "of", "on", "one", "ram"),
    *("run", "runs", "something", "that", "the", "this", "to", "what", "which", "with", "within"),
})
"""Words that change nothing."""

_MEMORY: Final = re.compile(r"(?<![\w.])(\d{1,9}(?:\.\d{1,6})?)\s?([kmgt]i?b)(?![\w])")
_CONTEXT: Final = re.compile(
    r"(?<![\w.])(?:(\d{1,9})(k?)[\s-]?(?:tokens?|context)(?:\s+of\s+context|\s+context)?"
    r"|context\s(?:of\s)?(\d{1,9})(k?)(?:\stokens?)?)(?![\w])"
)
_REFERENCE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(?::[a-z0-9._-]{1,40})?")
_NEAR_MATCHES: Final = 3
_K_TOKENS: Final = 1024
"""A context of 8k is one of 8,192 tokens."""


def parse_need(text: str, *, aliases: Collection[str] = ()) -> Need:
    """Read a need such as `phi-4-mini`, `phi-4-mini:q8_0` or `the best that fits 4 GB`.

    Args:
        text: A reference or words, see the top of this file.
        aliases: Those of the catalog. They come before words.

    Raises:
        UnknownNeedError: a word that means nothing, or two that contradict each other.
        ConfigError: a size of no bytes.
    """
    written = " ".join(text.split()).lower()
    alias, quantization = split_reference(written)
    if alias in aliases:
        return Need(alias=alias, quantization=quantization or None, text=text)
    sizes, rest = _MEMORY.findall(written), _MEMORY.sub(" ", written)
    contexts, rest = _CONTEXT.findall(rest), _CONTEXT.sub(" ", rest)
    words = re.findall(r"[^\s,;]+", rest)
    unknown = [word for word in words if word not in _VOCABULARY]
    if unknown and words == [written] and _REFERENCE.fullmatch(written):
        return Need(alias=alias, quantization=quantization or None, text=text)
    if unknown or not written:
        raise _not_understood(text, unknown=unknown, aliases=aliases)
    need = _from_words(words, text=text)
    return replace(
        need,
        memory_bytes=min(
            (parse_bytes("".join(size), field="need") for size in sizes), default=None
        ),
        context_tokens=max((_tokens(groups) for groups in contexts), default=None),
    )


def _from_words(words: list[str], *, text: str) -> Need:
    uses = {USE_WORDS[word] for word in words if word in USE_WORDS}
    categories = {CATEGORY_WORDS[word] for word in words if word in CATEGORY_WORDS}
    preferences = {PREFERENCE_WORDS[word] for word in words if word in PREFERENCE_WORDS}
    for kind, found in (("uses", uses), ("categories", categories)):
        if len(found) > 1:
            names = " and ".join(sorted(found))
            raise UnknownNeedError(need=text, problem=f"it names two {kind}, {names}")
    # "The best fast one" is a fast one; the words for the most are also said of anything good.
    preference = (
        Preference.FASTEST if Preference.FASTEST in preferences else Preference.MOST_CAPABLE
    )
    return Need(
        use_case=next(iter(uses), None),
        category=next(iter(categories), None),
        preference=preference,
        text=text,
    )


def _tokens(groups: tuple[str, str, str, str]) -> int:
    before, before_k, after, after_k = groups
    return int(before or after) * (_K_TOKENS if before_k or after_k else 1)


def _not_understood(text: str, *, unknown: list[str], aliases: Collection[str]) -> UnknownNeedError:
    if not unknown:
        return UnknownNeedError(need=text, problem="it is empty")
    known = [*aliases, *sorted(_VOCABULARY - FILLERS)]
    near = [match for word in unknown for match in difflib.get_close_matches(word, known, n=1)]
    listing = ", ".join(repr(word) for word in unknown[:_NEAR_MATCHES])
    return UnknownNeedError(
        need=text, problem=f"{listing} means nothing here", near=near[:_NEAR_MATCHES]
    )


_VOCABULARY: Final = frozenset({*USE_WORDS, *CATEGORY_WORDS, *PREFERENCE_WORDS, *FILLERS})
