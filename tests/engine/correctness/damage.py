"""Ways in which bytes go wrong: this file holds the mutations that fuzz tests make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A piece of data is replaced by another."""

    place: float
    """Where, as a share of the whole."""
    removed: int
    """Bytes taken out."""
    added: bytes

    def __call__(self, data: bytes) -> bytes:
        at = int(self.place * len(data))
        return data[:at] + self.added + data[at + self.removed :]


ENDS_OF_RANGES = [b"", b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff" * 8, b"\0" * 8]
HUGE_LIST = b"\xdd\xff\xff\xff\xff"
"""A msgpack list that claims four thousand million items."""

places = st.floats(0, 1, exclude_max=True)
added = st.binary(max_size=9) | st.sampled_from([*ENDS_OF_RANGES, HUGE_LIST])
damage = st.builds(Damage, place=places, removed=st.integers(0, 12), added=added)


@st.composite
def overwriting(draw: st.DrawFn) -> Damage:
    """Damage that leaves everything else where it was, so that it gets past the first check."""
    new = draw(added)
    return Damage(place=draw(places), removed=len(new), added=new)


def damaged(data: bytes, edits: Sequence[Damage]) -> bytes:
    for edit in edits:
        data = edit(data)
    return data
