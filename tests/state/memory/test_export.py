from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.state.memory.facts import a_fact

from smallhold.state.memory import Fact
from smallhold.state.memory.export import export_of, fact_json


@pytest.mark.parametrize(
    ("fact", "status"),
    [
        (a_fact(), "current"),
        (a_fact(expires_s=5.0), "expired"),
        (replace(a_fact(expires_s=5.0), superseded_s=3.0), "superseded"),
    ],
)
def test_an_export_says_what_became_of_a_fact(fact: Fact, status: str) -> None:
    assert fact_json(fact, now_s=10.0)["status"] == status


def test_an_export_is_json_with_every_field_of_a_fact() -> None:
    document = export_of("ann", [a_fact()], exported_s=7.0)
    (fact,) = json.loads(json.dumps(document))["facts"]
    assert set(fact) >= set(Fact.__dataclass_fields__)
    assert (document["subject"], document["exported_s"]) == ("ann", 7.0)
