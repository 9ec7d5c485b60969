"""What a server offers: this file holds its tools and prompts as values, and how they compare.

Two listings that say the same are the same, in whatever order a server writes them; the one that
was known before is kept then, byte for byte, so that an agent's prompt prefix stays as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias, TypeVar

from smallhold.messages import JsonObject
from smallhold.tools.mcp.hints import NO_HINTS, ToolHints


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTool:
    """A tool as its server describes it."""

    name: str
    description: str
    input_schema: JsonObject
    output_schema: JsonObject | None = None
    hints: ToolHints = NO_HINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptArgument:
    """What a prompt is filled with; always text."""

    name: str
    description: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPrompt:
    """A text with gaps that a server offers."""

    name: str
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()


Offer: TypeAlias = OfferedTool | OfferedPrompt
OfferT = TypeVar("OfferT", OfferedTool, OfferedPrompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Everything of a server that may stand in a prompt, ordered by name."""

    tools: tuple[OfferedTool, ...] = ()
    prompts: tuple[OfferedPrompt, ...] = ()
    has_resources: bool = False

    def tool(self, name: str) -> OfferedTool | None:
        """Find a tool by its server's name for it."""
        return next((tool for tool in self.tools if tool.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How a listing differs from the one that was shown; names as the server writes them."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is different."""
        return bool(self.added or self.removed or self.changed)


OnChanges: TypeAlias = Callable[[Changes], None]


def content_key(offer: Offer) -> str:
    """Give the same 64 hexadecimal digits for offers that say the same."""
    return hashlib.sha256(json.dumps(asdict(offer), sort_keys=True).encode()).hexdigest()


def settled(listing: Listing, *, known: Listing | None = None) -> Listing:
    """Order a listing by name, and take over word by word what is known and has not changed.

    Args:
        listing: As a server has just written it.
        known: As it was before.
    """
    known = known or Listing()
    return Listing(
        tools=_settled(listing.tools, known.tools),
        prompts=_settled(listing.prompts, known.prompts),
        has_resources=listing.has_resources,
    )


def differences(old: Listing, new: Listing) -> Changes:
    """Compare two listings; their order does not count."""
    before = {_place(offer): content_key(offer) for offer in (*old.tools, *old.prompts)}
    after = {_place(offer): content_key(offer) for offer in (*new.tools, *new.prompts)}
    common = before.keys() & after.keys()
    return Changes(
        added=_names(after.keys() - before.keys()),
        removed=_names(before.keys() - after.keys()),
        changed=_names({place for place in common if before[place] != after[place]}),
    )


def _settled(offers: Sequence[OfferT], known: Sequence[OfferT]) -> tuple[OfferT, ...]:
    kept = {content_key(offer): offer for offer in known}
    # Of several with one name the first is meant; the others could never be called.
    unique = {offer.name: offer for offer in reversed(offers)}
    return tuple(kept.get(content_key(unique[name]), unique[name]) for name in sorted(unique))


def _place(offer: Offer) -> tuple[str, str]:
    return (type(offer).__name__, offer.name)


def _names(places: set[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(name for _, name in places))
