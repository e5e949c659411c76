"""Cash rounding at the till: what is left for cash comes in steps, all else is exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.desk.migrations import MIGRATIONS
from edge.receipt.spool import Spool
from edge.sale.recorded import recorded_sale
from edge.sale.recovery import recover_lane
from edge.sqlite import Writer
from shared.item.barcode import price_label_code
from shared.kernel.errors import RefusedError
from shared.kernel.rounding import CashRounding
from shared.sale.tender import TenderKind
from tests.integration.edge.boxes import DAY, WEIGHED_PLU
from tests.integration.edge.lanes import Lane, a_lane

CARD, COUPON = TenderKind.CARD, TenderKind.MANUFACTURER_COUPON


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    """A store that rounds cash to five minor units; 12.33 of goods lie in the basket."""
    with a_lane(tmp_path) as made:
        made.shop = replace(made.shop, rounding=lambda: CashRounding(5))
        made.scan(price_label_code(WEIGHED_PLU, 1233))
        yield made


def test_cash_pays_the_rounded_amount_and_the_difference_is_told(lane: Lane) -> None:
    lane.pay(2000)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    totals = sale.totals
    assert (totals.net_minor, totals.rounding_minor, totals.tender_minor) == (1233, 2, 1235)
    assert sale.change_minor == 765
    assert lane.state.done is not None
    assert lane.state.done.rounding_minor == 2
    assert "Cash rounding" in lane.state.done.receipt_text
    z = lane.journal.z(DAY)
    assert (z.net_minor, z.rounding_minor, z.cash_minor, z.card_minor) == (1233, 2, 1235, 0)


def test_a_card_pays_to_the_minor_unit(lane: Lane) -> None:
    lane.pay(1233, CARD)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert (sale.totals.rounding_minor, sale.totals.tender_minor) == (0, 1233)
    assert lane.state.done is not None
    assert "rounding" not in lane.state.done.receipt_text


def test_only_what_is_left_for_cash_is_rounded(lane: Lane) -> None:
    lane.pay(301, COUPON)
    lane.pay(400, CARD)
    lane.pay(530)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    totals = sale.totals
    assert (totals.rounding_minor, totals.mfr_coupon_minor, totals.tender_minor) == (-2, 301, 930)


def test_cash_first_and_the_rest_by_card_rounds_nothing(lane: Lane) -> None:
    lane.pay(1000)
    lane.pay(233, CARD)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert (sale.totals.rounding_minor, sale.change_minor) == (0, 0)


def test_cash_that_no_coins_make_is_refused(lane: Lane) -> None:
    with pytest.raises(RefusedError, match=r"tender\.step"):
        lane.pay(1233)
    assert lane.basket().tenders == ()


def test_a_rest_that_rounds_to_nothing_is_closed_with_nothing(lane: Lane) -> None:
    lane.pay(1231, CARD)
    with pytest.raises(RefusedError, match=r"tender\.nothing_due"):
        lane.pay(100)
    lane.pay(0)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert (sale.totals.rounding_minor, sale.totals.tender_minor) == (-2, 1231)
    assert [tender.kind for tender in sale.tenders] == [CARD]


def test_a_store_that_takes_no_cash_rounds_no_rest_away(lane: Lane) -> None:
    lane.shop = replace(lane.shop, takes=lambda kind: kind == CARD.value)
    lane.pay(1231, CARD)
    with pytest.raises(RefusedError, match=r"tender\.off"):
        lane.pay(0)
    lane.pay(2, CARD)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert (sale.totals.rounding_minor, sale.totals.tender_minor) == (0, 1233)


def test_a_rule_that_changes_between_two_tenders_counts_for_the_rest(lane: Lane) -> None:
    lane.shop = replace(lane.shop, rounding=CashRounding)
    lane.pay(1001)
    lane.shop = replace(lane.shop, rounding=lambda: CashRounding(10))
    lane.pay(230)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert (sale.totals.rounding_minor, sale.totals.tender_minor) == (-2, 1231)


def test_after_a_power_cut_the_screen_shows_the_rounding_again(lane: Lane, tmp_path: Path) -> None:
    before = lane.state
    lane.pay(1235)
    file = Writer(tmp_path / "desk.db", "NORMAL")
    file.open(MIGRATIONS)
    found, receipt_no = recover_lane(shop=lane.shop, spool=Spool(file), state=before)
    file.close()
    assert receipt_no == "1-000001"
    assert found.done is not None
    assert (found.done.rounding_minor, found.done.change_minor) == (2, 0)
