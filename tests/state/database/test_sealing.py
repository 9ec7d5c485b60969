from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DamagedRecordError, WrongKeyError
from smallhold.messages import JsonValue
from smallhold.security import KeyRing
from smallhold.state.database import Sealer
from smallhold.state.database.sealing import context_of

KEYS = KeyRing({"k": bytes(32)})
PLACE = {"tenant": "t", "table": "facts", "row": "1"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
SEALERS = pytest.mark.parametrize("sealer", [Sealer(), Sealer(keys=KEYS)], ids=["plain", "keys"])


@SEALERS
@given(value=VALUES)
def test_a_value_comes_back_as_it_was(sealer: Sealer, value: JsonValue) -> None:
    assert sealer.unseal(sealer.seal(value, **PLACE), **PLACE) == value


@SEALERS
def test_text_with_a_lone_surrogate_comes_back(sealer: Sealer) -> None:
    assert sealer.unseal(sealer.seal("\ud800", **PLACE), **PLACE) == "\ud800"


@SEALERS
@pytest.mark.parametrize("part", ["tenant", "table", "row"])
def test_a_payload_that_was_moved_is_noticed(sealer: Sealer, part: str) -> None:
    payload = sealer.seal("x", **PLACE)
    with pytest.raises((DamagedRecordError, WrongKeyError)):
        sealer.unseal(payload, **(PLACE | {part: "other"}))


@SEALERS
@given(place=st.integers(0, 10_000))
def test_a_changed_bit_is_noticed(sealer: Sealer, place: int) -> None:
    payload = bytearray(sealer.seal({"a": "some text"}, **PLACE))
    payload[place // 8 % len(payload)] ^= 1 << place % 8
    with pytest.raises((DamagedRecordError, WrongKeyError)):
        sealer.unseal(bytes(payload), **PLACE)


def test_a_row_in_the_clear_is_not_believed_in_an_encrypted_database() -> None:
    with pytest.raises(DamagedRecordError, match="not encrypted"):
        Sealer(keys=KEYS).unseal(Sealer().seal("x", **PLACE), **PLACE)


def test_a_row_in_the_clear_is_read_while_the_database_is_being_encrypted() -> None:
    sealer = Sealer(keys=KEYS, accepts_plain=True)
    assert sealer.unseal(Sealer().seal("x", **PLACE), **PLACE) == "x"


def test_an_encrypted_row_names_the_key_that_is_missing() -> None:
    with pytest.raises(WrongKeyError, match="'k'"):
        Sealer().unseal(Sealer(keys=KEYS).seal("x", **PLACE), **PLACE)


def test_nothing_of_a_text_is_seen_in_its_encrypted_payload() -> None:
    assert b"canary" not in Sealer(keys=KEYS).seal("canary", **PLACE)


@given(left=st.tuples(st.text(), st.text(), st.text()), right=st.tuples(*[st.text()] * 3))
def test_no_two_places_are_written_alike(
    left: tuple[str, str, str], right: tuple[str, str, str]
) -> None:
    written = [
        context_of(tenant=tenant, table=table, row=row) for tenant, table, row in (left, right)
    ]
    assert (written[0] == written[1]) == (left == right)
