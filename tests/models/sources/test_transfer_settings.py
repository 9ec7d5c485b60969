"""Promises of `smallhold.models.sources.transfer_settings`: this file holds tests of defaults."""

from __future__ import annotations

from smallhold.models.sources.transfer_settings import (
    CONNECTIONS,
    MAX_CONNECTIONS,
    TransferSettings,
)


def test_by_default_there_are_few_connections_and_no_limit() -> None:
    settings = TransferSettings()
    assert settings.connections == CONNECTIONS <= MAX_CONNECTIONS
    assert settings.pacer.limit_bytes_s is None


def test_transfers_share_a_pacer_only_when_they_are_given_one() -> None:
    assert TransferSettings().pacer is not TransferSettings().pacer
