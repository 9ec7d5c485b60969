"""What an answer says was done: this file holds the finding of claimed actions.

"I have cancelled your order" is a claim; "I have not", "I can", "if it has been" and a question are
none. The words are in `action_words.toml`, beside this file.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from smallhold.agents.written_dates import MONTH_NAMES

FILE: Final = Path(__file__).with_name("action_words.toml")
FINISHED: Final = "finished"
"""Action of "Done." and its like, which name none."""
CHECKED: Final = "check"
"""Action of having looked something up, which any tool's success bears out."""
_DAY_POINT: Final = re.compile(rf"(?<=\d)\.(?=\s*(?:{MONTH_NAMES})\b)", re.IGNORECASE)
"""The point in `3. März`, which ends no sentence."""
_SENTENCE: Final = re.compile(r"[^.!?\n]+(?:[.!?](?=\d)[^.!?\n]*)*[.!?\n]*")
_ENDS: Final = " \t\n.!,;:\"'*-\u2013\u2014\u2705"
_MAX_PARTED_WORDS: Final = 12
"""German verbs end a clause; longer clauses are two."""


@dataclass(frozen=True, slots=True)
class ActionClaim:
    """Something that is said to have been done."""

    action: str
    """Name of the action, the same in all languages: `cancel`, `book`, ..."""
    text: str
    is_active: bool
    """Whether the agent says that it did so itself."""


@dataclass(frozen=True, slots=True)
class _Language:
    claims: tuple[tuple[re.Pattern[str], bool], ...]
    """Patterns, each with whether the agent speaks of itself."""
    actions: Mapping[str, str]
    """Verb form to action."""
    cancels: re.Pattern[str]
    linked: re.Pattern[str]
    finished: frozenset[str]


def action_claims(text: str) -> tuple[ActionClaim, ...]:
    """List what a text says was done, in order of its sentences."""
    plain = unicodedata.normalize("NFC", text).casefold().replace("\u2019", "'")
    found: dict[ActionClaim, None] = {}
    for sentence in _SENTENCE.findall(_DAY_POINT.sub("", plain)):
        if sentence.rstrip().endswith("?"):
            continue
        for language in _languages():
            for claim in _claims(sentence, language):
                found[claim] = None
    return tuple(found)


def _claims(sentence: str, language: _Language) -> Sequence[ActionClaim]:
    if sentence.strip(_ENDS) in language.finished:
        return [ActionClaim(FINISHED, sentence.strip(), is_active=True)]
    return [
        ActionClaim(language.actions[found["verb"]], found[0].strip(), is_active=is_active)
        for pattern, is_active in language.claims
        for found in pattern.finditer(sentence)
        if not _is_cancelled(sentence, found, language, is_active=is_active)
    ]


def _is_cancelled(
    sentence: str, found: re.Match[str], language: _Language, *, is_active: bool
) -> bool:
    before = sentence[: found.start()]
    # "An order that has been shipped" is any order.
    if not is_active and language.linked.search(before):
        return True
    # "I have not yet" negates in the middle, "If I have" before.
    return bool(language.cancels.search(before) or language.cancels.search(found[0]))


@cache
def _languages() -> tuple[_Language, ...]:
    return tuple(_language(words) for words in _data()["languages"].values())


# The file is ours and its shape is tested.
@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def _language(words: Mapping[str, Any]) -> _Language:
    actions = {form: action for action, forms in words["verbs"].items() for form in forms}
    verb = f"(?P<verb>{_choice(list(actions))})"
    if words["parted"]:
        between = rf"(?:[^\s,;:]+\s+){{0,{_MAX_PARTED_WORDS}}}?"
        ending = r"(?=\s*(?:[.,;:!\n)]|$|\s(?:und|sowie|oder)\b))"
    else:
        adverbs = _choice(words["adverbs"])
        between, ending = rf"(?:(?:{adverbs})\s+){{0,3}}", r"(?!\w)"
    claims = tuple(
        (re.compile(rf"(?<![\w'])(?:{_choice(words[voice])})\s+{between}{verb}{ending}"), is_active)
        for voice, is_active in (("active", True), ("passive", False))
    )
    return _Language(
        claims=claims,
        actions=actions,
        cancels=re.compile(rf"(?<![\w'])(?:{_choice(words['cancels'])})(?!\w)"),
        linked=re.compile(rf"(?<!\w)(?:{_choice(words['linked'])})\s+\Z"),
        finished=frozenset(words["finished"]),
    )


def _choice(words: Sequence[str]) -> str:
    """Write words as alternatives, longest first."""
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(r"\s+".join(map(re.escape, word.split())) for word in ordered)


def shows_action(text: str, action: str) -> bool:
    """Tell whether a tool's name, arguments or result speak of an action."""
    stems: Sequence[str] = _data()["shown"].get(action, ())
    if not stems:
        return False
    return bool(re.search(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, stems))})", text.casefold()))


def only_looks(tool: str) -> bool:
    """Tell whether a tool's name says that it reads and changes nothing."""
    words = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tool).casefold()))
    names = _data()["tool_names"]
    return bool(words & set(names["look"])) and not words & set(names["act"])
