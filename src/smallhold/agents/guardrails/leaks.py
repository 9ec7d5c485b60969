"""Secrets that must stay inside: this file holds the guardrail for canaries and keys.

A canary is a text of yours that only secrets hold, such as a line of the instructions that no
answer ever needs. Where it appears in an answer or in a tool call, something was carried out.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from smallhold.agents.guardrails.checks import OutputCheck, ToolCheck
from smallhold.agents.guardrails.normalisation import fold, skeleton
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.exceptions import ConfigError

MIN_CANARY_CHARS: Final = 6
"""A shorter text stands in answers by chance."""
HIDDEN: Final = "[withheld]"
KEYS: Final = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]+-----|\Z)",
    "AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "API key": r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{8,1000}\.eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]+",
    "password in a URL": r"\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{1,100}:[^\s/:@]{1,100}@\S+",
}
"""Source: the public formats of these services' keys."""
_PATTERNS: Final = {kind: re.compile(pattern) for kind, pattern in KEYS.items()}
_LETTERS: Final = re.compile(r"[\W_]+")
_GROUP: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretLeaks:
    """Blocks answers and calls that hold a canary, and hides keys that are seen by their form.

    Raises:
        ConfigError: a canary is too short to be told from chance.
    """

    canaries: Collection[str] = ()
    """Texts that must never get out: found in any case, spaced out, reversed, in base64, hex or
    rot13."""
    keys: Literal["hide", "block", "ignore"] = "hide"
    """What becomes of keys and passwords in answers. In a call they always block, unless
    ignored."""
    name: str = "secret_leaks"

    def __post_init__(self) -> None:
        """Check the canaries."""
        for canary in self.canaries:
            if len(_squeezed(canary)) < MIN_CANARY_CHARS:
                raise ConfigError(
                    field="canaries",
                    value="(hidden)",
                    remedy=f"give at least {MIN_CANARY_CHARS} letters and digits each",
                )

    def check_output(self, check: OutputCheck) -> Verdict:
        """Look through the answer."""
        if self._holds_canary(check.text):
            return Verdict.block("the answer holds a canary")
        hidden, kinds = _without_keys(check.text)
        if not kinds or self.keys == "ignore":
            return Verdict.ok()
        reason = f"the answer holds: {', '.join(kinds)}"
        return (
            Verdict.block(reason)
            if self.keys == "block"
            else Verdict.replace(hidden, reason=reason)
        )

    def check_call(self, check: ToolCheck) -> Verdict:
        """Look through a call's arguments."""
        text = json.dumps(check.call.arguments, ensure_ascii=False)
        if self._holds_canary(text):
            return Verdict.block(f"an argument of {check.call.name} holds a canary")
        _, kinds = _without_keys(text)
        if kinds and self.keys != "ignore":
            return Verdict.block(f"an argument of {check.call.name} holds: {', '.join(kinds)}")
        return Verdict.ok()

    def _holds_canary(self, text: str) -> bool:
        squeezed = _squeezed(text)
        readings = (squeezed, squeezed[::-1], _squeezed(skeleton(fold(text))))
        # Base64 tells capitals from small letters.
        written = re.sub(r"\s", "", text)
        return any(
            any(form in reading for form in _forms(canary) for reading in readings)
            or any(form in written for form in _base64_forms(canary))
            for canary in self.canaries
        )


def _squeezed(text: str) -> str:
    return _LETTERS.sub("", fold(text))


def _forms(canary: str) -> frozenset[str]:
    squeezed = _squeezed(canary)
    forms = (squeezed, codecs.encode(squeezed, "rot13"), canary.encode().hex())
    return frozenset({*forms, _squeezed(skeleton(fold(canary)))})


def _base64_forms(canary: str) -> frozenset[str]:
    """Give what every base64 text around a canary holds, at each of the three alignments."""
    forms: set[str] = set()
    for shift in range(_GROUP):
        encoded = base64.b64encode(b"\0" * shift + canary.encode()).decode().rstrip("=")
        # The first and last characters are mixed with what stands beside the canary.
        forms.add(encoded[shift + (shift > 0) : -1])
    return frozenset(forms)


def _without_keys(text: str) -> tuple[str, tuple[str, ...]]:
    kinds: list[str] = []
    for kind, pattern in _PATTERNS.items():
        text, count = pattern.subn(HIDDEN, text)
        kinds += [kind] if count else []
    return text, tuple(kinds)
