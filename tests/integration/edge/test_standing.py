"""A box that was replaced starts no new sales, also after a restart; who is under way may pay."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.identity import Standing
from edge.sale.commands import OpenDrawer
from shared.kernel.errors import RefusedError
from tests.builders import a_gtin
from tests.integration.edge.lanes import Lane, a_lane, alone


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    return Standing(tmp_path)


@pytest.fixture
def lane(tmp_path: Path, standing: Standing) -> Iterator[Lane]:
    with a_lane(tmp_path) as made:
        made.shop = replace(made.shop, is_retiring=standing.is_retiring)
        yield made


def test_a_replaced_box_starts_no_new_sale(lane: Lane, standing: Standing) -> None:
    assert standing.told("retiring")
    with pytest.raises(RefusedError, match=r"box\.retiring"):
        lane.scan(a_gtin(3))
    assert lane.state.basket is None
    assert standing.told("active")
    lane.scan(a_gtin(3))
    assert len(lane.basket().lines) == 1


def test_the_customer_who_is_under_way_pays_first(lane: Lane, standing: Standing) -> None:
    lane.scan(a_gtin(3))
    standing.told("retiring")
    lane.scan(a_gtin(4))
    lane.pay(700)
    assert lane.state.basket is None
    with pytest.raises(RefusedError, match=r"box\.retiring"):
        lane.scan(a_gtin(3))
    lane.do(OpenDrawer("counting", "2041", alone))
    assert lane.paper.asked[-1] == "drawer"


def test_what_was_told_is_remembered_and_told_once(tmp_path: Path, standing: Standing) -> None:
    assert not standing.told("active")
    assert standing.told("retiring")
    assert not standing.told("retiring")
    assert Standing(tmp_path).is_retiring()
    assert Standing(tmp_path).told("active")
    assert not standing.is_retiring()
