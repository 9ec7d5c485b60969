from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError, DamagedRecordError, WrongKeyError
from smallhold.security import KeyRing
from smallhold.security.encryption import key_id_of

OLD, NEW = bytes(32), bytes(range(32))


@given(plain=st.binary(max_size=200), context=st.binary(max_size=50))
def test_what_was_sealed_opens_with_its_key_and_context(plain: bytes, context: bytes) -> None:
    ring = KeyRing({"k": NEW})
    assert ring.open(ring.seal(plain, context=context), context=context) == plain


@given(plain=st.binary(min_size=8, max_size=64), place=st.integers(0, 10_000))
def test_a_single_changed_bit_is_noticed(plain: bytes, place: int) -> None:
    ring = KeyRing({"k": NEW})
    sealed = bytearray(ring.seal(plain, context=b"row"))
    sealed[place // 8 % len(sealed)] ^= 1 << place % 8
    with pytest.raises((WrongKeyError, DamagedRecordError)):
        ring.open(bytes(sealed), context=b"row")


@given(data=st.binary(max_size=80))
def test_any_bytes_are_refused_without_surprise(data: bytes) -> None:
    with pytest.raises((WrongKeyError, DamagedRecordError)):
        KeyRing({"k": NEW}).open(data, context=b"")


def test_a_value_does_not_open_in_another_place() -> None:
    ring = KeyRing({"k": NEW})
    with pytest.raises(WrongKeyError):
        ring.open(ring.seal(b"x", context=b"row 1"), context=b"row 2")


def test_the_same_value_is_never_sealed_alike() -> None:
    ring = KeyRing({"k": NEW})
    assert len({ring.seal(b"x", context=b"") for _ in range(100)}) == 100


def test_the_active_key_seals_and_all_open() -> None:
    before = KeyRing({"2025": OLD})
    after = KeyRing({"2026": NEW, "2025": OLD})
    assert after.open(before.seal(b"x", context=b""), context=b"") == b"x"
    assert key_id_of(after.seal(b"x", context=b"")) == "2026"


def test_a_missing_key_is_named() -> None:
    sealed = KeyRing({"2025": OLD}).seal(b"x", context=b"")
    with pytest.raises(WrongKeyError, match="'2025'") as caught:
        KeyRing({"2026": NEW}).open(sealed, context=b"")
    assert caught.value.known == ("2026",)


def test_other_bytes_under_the_same_id_do_not_open() -> None:
    sealed = KeyRing({"k": OLD}).seal(b"x", context=b"")
    with pytest.raises(WrongKeyError):
        KeyRing({"k": NEW}).open(sealed, context=b"")


def test_a_ring_is_written_and_read() -> None:
    ring = KeyRing({"2026": NEW, "2025": OLD}, active="2025")
    again = KeyRing.parse(ring.text())
    assert again.ids == ("2025", "2026")
    assert again.open(ring.seal(b"x", context=b""), context=b"") == b"x"


def test_a_single_key_needs_no_id() -> None:
    assert KeyRing.parse(base64.b64encode(NEW).decode()).ids == ("default",)


def test_a_ring_shows_no_key() -> None:
    ring = KeyRing.generate("k")
    assert repr(ring) == "KeyRing(k)"


@pytest.mark.parametrize(
    "text",
    ["", "k:", "k:abc", "k:!!!!", f"k:{base64.b64encode(b'short').decode()}", "bad id:AAAA"],
)
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        KeyRing.parse(text)
    encoded = text.partition(":")[2]
    assert not encoded or encoded not in str(caught.value)


def test_an_id_stands_for_one_key() -> None:
    encoded = base64.b64encode(NEW).decode()
    with pytest.raises(ConfigError, match="two keys"):
        KeyRing.parse(f"k:{encoded},k:{encoded}")


def test_the_active_key_must_be_in_the_ring() -> None:
    with pytest.raises(ConfigError, match="active"):
        KeyRing({"k": NEW}, active="other")
