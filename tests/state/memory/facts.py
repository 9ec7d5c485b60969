"""Facts for tests: this file holds how one is made with few words."""

from __future__ import annotations

from smallhold.state.memory import Fact, Provenance


def a_fact(
    value: str = "tea",
    *,
    attribute: str = "drink",
    position: int = 0,
    confidence_ratio: float = 1.0,
    expires_s: float | None = None,
    is_list: bool = False,
) -> Fact:
    return Fact(
        id=f"fact-{position}",
        subject="ann",
        attribute=attribute,
        value=value,
        confidence_ratio=confidence_ratio,
        provenance=Provenance(),
        position=position,
        created_s=1_700_000_000.0,
        expires_s=expires_s,
        is_list=is_list,
    )
