from __future__ import annotations

import pytest
from tests.runtimes.residency.scripted_models import MB, House, ScriptedModel, machine

from smallhold.runtimes.residency.residents import REST_S, Place, Resident


@pytest.fixture
def house() -> House:
    return House(sizes={"a": 500 * MB}, cache_bytes=100 * MB)


@pytest.fixture
def model(house: House) -> ScriptedModel:
    house.residency.runtime(house.spec("a"))
    return house.models["a"]


@pytest.fixture
def resident(house: House, model: ScriptedModel) -> Resident:
    return Resident(key=0, spec=house.spec("a"), loadable=model)


def loaded(resident: Resident, model: ScriptedModel) -> None:
    resident.begin()
    resident.place = Place.LOADED
    model.is_there = True


def test_its_size_is_unknown_until_it_is_wanted(resident: Resident) -> None:
    assert resident.known_bytes is None
    assert resident.size_bytes(machine()) == 600 * MB
    assert resident.known_bytes == 600 * MB


def test_a_measurement_lowers_the_size_only_after_an_answer_and_a_rest(
    resident: Resident, model: ScriptedModel
) -> None:
    loaded(resident, model)
    model.rss_bytes = 450 * MB
    resident.measure(0.0)
    assert resident.size_bytes(machine()) == 600 * MB
    resident.has_answered = True
    resident.measure(REST_S - 1)
    assert resident.size_bytes(machine()) == 600 * MB
    resident.measure(REST_S)
    assert resident.size_bytes(machine()) == 550 * MB


def test_a_measurement_raises_the_size_at_once(resident: Resident, model: ScriptedModel) -> None:
    loaded(resident, model)
    model.rss_bytes = 700 * MB
    resident.measure(0.0)
    assert resident.size_bytes(machine()) == 700 * MB


def test_a_process_that_is_gone_is_told_from_one_that_is_not_there_yet(
    resident: Resident, model: ScriptedModel
) -> None:
    resident.begin()
    assert resident.measure(0.0)
    loaded(resident, model)
    assert resident.measure(0.0)
    model.crash()
    assert not resident.measure(0.0)


def test_leaving_forgets_whom_it_was_there_for(resident: Resident, model: ScriptedModel) -> None:
    loaded(resident, model)
    resident.leases.add(1)
    resident.leave()
    assert not resident.leases
    assert not resident.is_usable
    assert resident.is_held
    resident.gone()
    assert not resident.is_held
