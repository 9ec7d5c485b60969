"""Promises of `smallhold.evals.bench.setup`: this file holds tests of who takes part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhold.evals.bench.contestants import OURS, our_config
from smallhold.evals.bench.llama_cpp_python import LlamaCppPython
from smallhold.evals.bench.llama_server import LlamaServer
from smallhold.evals.bench.peers import PeerSettings
from smallhold.evals.bench.rounds import Turn
from smallhold.evals.bench.setup import (
    FLASH_OFF,
    FOUR_SLOTS,
    SHARED_CELLS,
    SMALL_BATCH,
    BenchSetup,
    available,
    lineup,
    machine,
    variant,
)
from smallhold.exceptions import ConfigError

if TYPE_CHECKING:
    from tests.evals.bench.conftest import MakeSetup

SETTINGS = PeerSettings(model="m.gguf", threads=2, context_tokens=512)


def ignore(turn: Turn) -> None:
    del turn


def setup(**changes: object) -> BenchSetup:
    plain = BenchSetup(model="m", path=Path("m.gguf"), threads=1, rounds=1, on_turn=ignore)
    return replace(plain, **changes)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - tests name fields


@pytest.mark.parametrize("field", ["threads", "rounds", "limit", "sessions"])
def test_numbers_below_one_are_refused(field: str) -> None:
    with pytest.raises(ConfigError, match=field):
        setup(**{field: 0})


def test_an_unknown_peer_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="llama-cpp-python"):
        setup(peers=("vllm",))


def test_a_limit_only_makes_suites_smaller() -> None:
    assert setup(limit=3).at_most(30) == 3
    assert setup(limit=99).at_most(30) == 30
    assert setup().at_most(30) == 30


def test_peers_without_their_scripts_are_missing_with_a_reason(tmp_path: Path) -> None:
    present, missing = available(setup(scripts=tmp_path), ["llama-server", "llama_decode"])
    assert present == []
    assert set(missing) == {"llama-server", "llama_decode"}
    assert "checkout" in missing["llama-server"]


def test_the_caller_s_peers_take_the_place_of_the_suite_s() -> None:
    present, missing = available(setup(peers=(FLASH_OFF,)), ["llama-server"])
    assert [*present, *missing] == [FLASH_OFF]


def test_no_other_peer_stands_in_for_the_bare_loop() -> None:
    present, missing = available(setup(peers=("llama-cpp-python",)), ["llama_decode"])
    assert [*present, *missing] == ["llama_decode"]
    present, missing = available(setup(peers=("llama_decode",)), ["llama-server"])
    assert [*present, *missing] == []


def test_no_peers_at_all_is_a_choice() -> None:
    assert available(setup(peers=()), ["llama_decode"]) == ([], {})


def test_variants_differ_in_one_setting() -> None:
    assert variant("llama-server", SETTINGS) == SETTINGS
    assert variant(FLASH_OFF, SETTINGS) == replace(SETTINGS, flash_attention=False)
    assert variant(SHARED_CELLS, SETTINGS) == replace(SETTINGS, shares_cells=True)
    assert variant(SMALL_BATCH, SETTINGS) == replace(SETTINGS, batch_tokens=256)


def test_four_slots_share_as_many_cells_as_the_suite_s_slots_have() -> None:
    chosen = variant(FOUR_SLOTS, replace(SETTINGS, slots=12))
    assert (chosen.slots, chosen.shares_cells) == (4, True)
    assert chosen.slots * chosen.context_tokens == 12 * SETTINGS.context_tokens


def test_ours_comes_first_and_peers_are_of_their_kinds(make_setup: MakeSetup) -> None:
    chosen = make_setup(peers=("llama-server", "llama-cpp-python"))
    entered = lineup(
        chosen,
        config=our_config(chosen.path, threads=1, context_tokens=512),
        settings=SETTINGS,
        peers=(),
    )
    assert list(entered.all)[0] == OURS  # noqa: RUF015 - the order is the promise
    kinds = {"llama-server": LlamaServer, "llama-cpp-python": LlamaCppPython}
    for name, peer in entered.peers.items():
        assert isinstance(peer, kinds[name])


def test_the_machine_is_described() -> None:
    described = machine(setup(threads=2))
    assert described["threads"] == 2
    assert {"cpu", "cores", "memory_gib", "load_average_1min"} <= described.keys()
