from __future__ import annotations

from smallhold.agents.text_calls.calls import Offered


def test_a_tool_s_parameters_are_given_in_the_order_of_its_schema(offered: Offered) -> None:
    assert offered.names == ("order_status", "stock", "now")
    assert offered.parameters("stock") == ("product", "least")


def test_an_unknown_tool_has_no_parameters(offered: Offered) -> None:
    assert offered.parameters("sing") == ()
