"""Selling at one lane, with a real journal, replica and desk; only paper is imagined."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.desk.migrations import MIGRATIONS
from edge.receipt.spool import Spool, SpooledJob, job_of
from edge.sale.commands import (
    DismissUnknown,
    HandInStoreCoupon,
    NotePrint,
    OpenDrawer,
    OverridePrice,
    RemoveLine,
    ReprintReceipt,
    SetQuantity,
    Undo,
    VoidBasket,
)
from edge.sale.recorded import recorded_sale
from edge.sale.recovery import recover_lane
from edge.sale.shop import NoTally, Sums
from edge.sqlite import Writer
from shared.item.barcode import member_card_code, price_label_code
from shared.kernel.errors import CorruptError, MissingError, RefusedError
from shared.sale.tender import TenderKind
from shared.staff.permission import SALE_COUPON, SALE_OVERRIDE
from tests.builders import OPENED_AT_MS, a_gtin
from tests.integration.edge.boxes import (
    DAY,
    WEIGHED_PLU,
    price_record,
)
from tests.integration.edge.lanes import Lane, a_lane, alone

CARD, COUPON = TenderKind.CARD, TenderKind.MANUFACTURER_COUPON


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    with a_lane(tmp_path) as made:
        yield made


def test_a_scan_opens_a_basket_and_a_repeat_grows_the_line(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    first = lane.state.last_scan
    assert first is not None
    assert (first.kind, first.name, first.price_minor, first.no) == ("item", "Item 3", 300, 1)
    lane.scan(a_gtin(3), a_gtin(4))
    assert [line.qty_milli for line in lane.basket().lines] == [2000, 1000]
    assert lane.basket().revision == 1
    assert lane.state.touched_line == 2


def test_a_price_label_sells_at_its_price(lane: Lane) -> None:
    lane.scan(price_label_code(WEIGHED_PLU, 199), price_label_code(WEIGHED_PLU, 250))
    assert [line.label_minor for line in lane.basket().lines] == [199, 250]
    lane.pay(449)
    assert lane.state.done is not None
    assert lane.state.done.change_minor == 0


def test_a_member_card_gives_the_whole_basket_member_prices(lane: Lane) -> None:
    lane.scan(a_gtin(3), member_card_code("2479"))
    assert lane.basket().member == "2479"
    assert lane.state.last_scan is not None
    assert lane.state.last_scan.kind == "member"
    lane.pay(290)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert (sale.totals.net_minor, sale.totals.member_disc_minor, sale.member) == (290, 10, "2479")


@pytest.mark.parametrize(
    ("code", "because"),
    [
        (a_gtin(3)[:-1] + str((int(a_gtin(3)[-1]) + 1) % 10), "barcode.check_digit"),
        (a_gtin(999), "item.unknown"),
        (price_label_code("00099", 100), "item.unknown"),
        ("12", "barcode.length"),
        ("hello", "barcode.characters"),
        ("x" * 300, "barcode.characters"),
    ],
)
def test_a_bad_or_unknown_code_is_listed_and_blocks_payment(
    lane: Lane, code: str, because: str
) -> None:
    lane.scan(a_gtin(3), code)
    (unknown,) = lane.basket().unknown
    assert (unknown.because, unknown.code) == (because, code[:64])
    assert len(lane.basket().lines) == 1
    with pytest.raises(RefusedError, match=r"basket\.unknown_codes"):
        lane.pay(300)
    lane.do(DismissUnknown(unknown.number, "own bottle"))
    lane.pay(300)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert [(gone.code, gone.reason) for gone in sale.voided] == [(code[:64], "own bottle")]


def test_cash_pays_and_gives_change(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    basket_id = lane.basket().id
    turn = lane.pay(1000)
    done = lane.state.done
    assert done is not None
    assert (turn.receipt_no, done.due_minor, done.change_minor) == ("1-000001", 300, 700)
    assert "Item 3" in done.receipt_text
    assert lane.state.basket is None
    assert lane.paper.asked == ["receipt 1-000001"]
    assert lane.journal.sale_by_id(basket_id) is not None
    assert lane.journal.z(DAY).cash_minor == 300


def test_the_next_scan_starts_the_next_sale(lane: Lane) -> None:
    for number in (3, 4):
        lane.scan(a_gtin(number))
        assert lane.state.done is None
        lane.pay(number * 100)
    assert lane.journal.next_receipt_no(1) == "1-000003"


def test_a_sale_may_be_paid_in_parts(lane: Lane) -> None:
    lane.scan(a_gtin(10))
    lane.pay(200, COUPON)
    lane.pay(500, CARD)
    assert lane.state.done is None
    with pytest.raises(RefusedError, match=r"tender\.over"):
        lane.pay(301, CARD)
    with pytest.raises(RefusedError, match=r"basket\.tender_taken"):
        lane.scan(a_gtin(3))
    lane.pay(500)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert sale.change_minor == 200
    assert (sale.totals.net_minor, sale.totals.tender_minor) == (1000, 800)


def test_what_costs_nothing_is_sold_for_nothing(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    lane.do(OverridePrice(1, 0, None, "gift", alone))
    with pytest.raises(RefusedError, match=r"tender\.nothing_due"):
        lane.pay(100)
    lane.pay(0)
    assert lane.state.done is not None
    assert lane.state.done.due_minor == 0


def test_an_override_is_recorded_with_who_and_why(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    lane.do(OverridePrice(1, 250, 240, "dented", alone))
    lane.do(HandInStoreCoupon(1, 50, "C-9", alone))
    lane.pay(200)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    (line,) = sale.lines
    assert (line.gross_minor, line.net_minor) == (250, 200)
    assert line.override is not None
    assert (line.override.book_unit_minor, line.override.approved_by) == (300, "1001")


class _Counted(NoTally):
    """Remembers what each basket counts for."""

    def __init__(self) -> None:
        self.sums: dict[str, Sums] = {}

    def put(self, basket: str, sums: Sums) -> None:
        self.sums[basket] = {key: minor for key, minor in sums.items() if minor}


def test_a_price_by_hand_that_may_come_back_undone_still_counts(lane: Lane) -> None:
    """Else it is raised, the day's rest is given away at another lane, and the rise undone."""
    tally = _Counted()
    lane.shop = replace(lane.shop, tally=tally)
    lane.scan(a_gtin(3))
    mine = (SALE_OVERRIDE, "1001")
    lane.do(OverridePrice(1, 250, None, "dented", alone))
    basket = lane.basket().id
    lane.do(OverridePrice(1, 300, None, "no", alone))
    assert tally.sums[basket] == {mine: 50}
    lane.do(Undo())
    lane.pay(250)
    assert tally.sums[basket] == {mine: 50}
    lane.scan(a_gtin(3))
    lane.do(HandInStoreCoupon(1, 70, "C-1", alone))
    lane.do(HandInStoreCoupon(1, 10, "C-2", alone))
    assert tally.sums[lane.basket().id] == {(SALE_COUPON, "1001"): 70}
    basket = lane.basket().id
    lane.pay(290)
    assert tally.sums[basket] == {(SALE_COUPON, "1001"): 10}, "paid, it counts as it is"


def test_an_item_without_a_price_waits_for_one(lane: Lane) -> None:
    lane.scan(a_gtin(42))
    with pytest.raises(RefusedError, match=r"basket\.needs_price"):
        lane.pay(100)
    lane.do(OverridePrice(1, 100, None, "asked the manager", alone))
    lane.pay(100)
    assert lane.state.done is not None


def test_a_quantity_may_be_set_and_a_line_taken_out(lane: Lane) -> None:
    lane.scan(a_gtin(3), a_gtin(4))
    lane.do(SetQuantity(1, 5000))
    lane.do(RemoveLine(2, "too many"))
    with pytest.raises(MissingError, match=r"basket\.line"):
        lane.do(RemoveLine(2, "again"))
    lane.pay(1500)
    sale, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    assert [(gone.name, gone.reason) for gone in sale.voided] == [("Item 4", "too many")]


def test_undo_brings_back_the_basket_and_is_recorded(lane: Lane) -> None:
    lane.scan(a_gtin(3), a_gtin(3), a_gtin(4))
    lane.do(Undo())
    assert [line.item.name for line in lane.basket().lines] == ["Item 3"]
    with pytest.raises(RefusedError, match=r"basket\.nothing_to_undo"):
        lane.do(Undo())
    lane.scan(a_gtin(3))
    lane.do(Undo())
    assert lane.basket().lines[0].qty_milli == 2000
    gone = [(each.name, each.qty_milli, each.reason) for each in lane.basket().voided]
    assert gone == [("Item 4", 1000, "undo"), ("Item 3", 1000, "undo")]
    lane.scan(a_gtin(5))
    assert lane.basket().lines[-1].number == 3


def test_the_first_scan_can_be_undone_too(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    opened = lane.basket().id
    lane.do(Undo())
    assert (lane.basket().id, lane.basket().lines) == (opened, ())


def test_a_part_payment_can_be_undone(lane: Lane) -> None:
    lane.scan(a_gtin(10))
    lane.pay(100, CARD)
    lane.do(Undo())
    assert lane.basket().tenders == ()


def test_a_basket_that_was_given_up_is_a_fact(lane: Lane) -> None:
    lane.scan(a_gtin(3), a_gtin(4))
    lane.do(VoidBasket("no money", "1001"))
    assert lane.state.basket is None
    assert lane.journal.z(DAY).voided_baskets == 1
    with pytest.raises(RefusedError, match=r"basket\.empty"):
        lane.pay(100)


def test_a_copy_is_marked_and_counted(lane: Lane) -> None:
    with pytest.raises(RefusedError, match=r"receipt\.none_yet"):
        lane.do(ReprintReceipt(None, "1001"))
    lane.scan(a_gtin(3))
    lane.pay(300)
    lane.do(ReprintReceipt(None, "1001"))
    lane.do(ReprintReceipt("1-000001", "1001"))
    assert lane.paper.asked[1:] == ["copy 1 of 1-000001", "copy 2 of 1-000001"]
    assert lane.journal.copies_of("1-000001") == 2
    with pytest.raises(MissingError, match=r"receipt\.unknown"):
        lane.do(ReprintReceipt("9-000001", "1001"))


def test_a_receipt_that_never_came_out_is_no_copy(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    lane.pay(300)
    lane.paper.waiting.add("1-000001")
    turn = lane.do(ReprintReceipt(None, "1001"))
    assert turn.receipt_no == "1-000001"
    assert lane.paper.asked[1:] == ["copy 0 of 1-000001"]
    assert lane.journal.copies_of("1-000001") == 0


def test_the_drawer_opens_with_a_reason(lane: Lane) -> None:
    lane.do(OpenDrawer("change", "1001", alone))
    assert lane.paper.asked == ["drawer"]
    assert lane.journal.z(DAY).no_sales == 1


def test_nobody_sells_at_a_locked_lane_or_a_closed_day(lane: Lane) -> None:
    lane.state = replace(lane.state, operator=None)
    with pytest.raises(RefusedError, match=r"lane\.locked"):
        lane.scan(a_gtin(3))


def test_a_basket_keeps_the_prices_it_was_opened_with(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    manifest = lane.publisher.publish([price_record(3, 999), price_record(4, 888)])
    lane.replica.stage(manifest, lane.publisher.objects)
    lane.replica.activate(2, OPENED_AT_MS)
    lane.replica.release({1})
    lane.scan(a_gtin(4))
    lane.pay(700)
    lane.scan(a_gtin(3))
    lane.pay(999)
    first, _ = recorded_sale(lane.journal.sale_by_receipt("1-000001"))
    second, _ = recorded_sale(lane.journal.sale_by_receipt("1-000002"))
    assert (first.revision, first.totals.net_minor) == (1, 700)
    assert (second.revision, second.totals.net_minor) == (2, 999)


def test_a_screen_learns_what_became_of_its_receipt(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    lane.pay(300)
    lane.do(NotePrint("1-000009", "failed"))
    assert lane.state.done is not None
    assert lane.state.done.print == "queued"
    lane.do(NotePrint("1-000001", "printed"))
    assert lane.state.done.print == "printed"


def test_a_receipt_nobody_is_sure_of_is_told_while_the_next_customer_is_served(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    lane.pay(300)
    lane.scan(a_gtin(4))
    lane.do(NotePrint("1-000001", "unknown"))
    assert lane.state.doubtful == "1-000001"
    lane.do(ReprintReceipt("1-000001", "1001"))
    assert lane.state.doubtful == ""
    lane.do(NotePrint("1-000001", "unknown"))
    lane.pay(400)
    assert lane.state.doubtful == "", "the customer has gone"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    file = Writer(tmp_path / "desk.db", "NORMAL")
    file.open(MIGRATIONS)
    yield Spool(file)
    file.close()


def test_a_receipt_cut_off_by_a_power_cut_is_told_in_the_next_customer_s_basket(
    lane: Lane, spool: Spool
) -> None:
    lane.scan(a_gtin(3))
    lane.pay(300)
    lane.scan(a_gtin(4))
    spool.add(job_of(1, "1-000001", 0, OPENED_AT_MS))
    assert spool.begin("1-000001.0", "printer-1")
    spool.recover()
    state, sold = recover_lane(shop=lane.shop, spool=spool, state=lane.state)
    assert (state.basket, state.doubtful, sold) == (lane.state.basket, "1-000001", None)


def test_a_basket_that_the_journal_knows_as_sold_is_not_open_any_more(
    lane: Lane, spool: Spool
) -> None:
    lane.scan(a_gtin(3))
    cut_off = lane.state
    lane.pay(1000)
    state, receipt_no = recover_lane(shop=lane.shop, spool=spool, state=cut_off)
    assert receipt_no == "1-000001"
    assert state.basket is None
    assert state.done is not None
    assert lane.state.done is not None
    assert state.done == replace(lane.state.done, print="queued")
    assert state.seq == cut_off.seq + 1
    assert spool.original("1-000001") == "queued"


def test_a_basket_that_is_still_open_stays(lane: Lane, spool: Spool) -> None:
    lane.scan(a_gtin(3))
    assert recover_lane(shop=lane.shop, spool=spool, state=lane.state) == (lane.state, None)


def test_a_basket_that_was_given_up_is_not_open_after_a_kill(lane: Lane, spool: Spool) -> None:
    lane.scan(a_gtin(3))
    cut_off = lane.state
    lane.do(VoidBasket("left", "1001"))
    state, receipt_no = recover_lane(shop=lane.shop, spool=spool, state=cut_off)
    assert (state.basket, state.before, state.done, receipt_no) == (None, None, None, None)
    assert state.seq == cut_off.seq + 1


def test_no_receipt_is_given_for_what_the_journal_has_as_another_fact(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    cut_off = lane.state
    lane.do(VoidBasket("left", "1001"))
    lane.state = cut_off
    with pytest.raises(CorruptError, match=r"journal\.projection"):
        lane.pay(300)
    assert lane.paper.asked == []
    assert lane.journal.z(DAY).receipts == 0


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        ("printed", "printed"),
        ("queued", "queued"),
        ("printing", "unknown"),
        ("unknown", "unknown"),
        ("not_printed", "failed"),
    ],
)
def test_a_receipt_that_was_cut_off_is_queued_or_offered_again(
    lane: Lane, spool: Spool, outcome: Any, shown: str
) -> None:
    lane.scan(a_gtin(3))
    lane.pay(300)
    spool.add(SpooledJob("1-000001.0", 1, "1-000001", 0, 5))
    spool.close_job("1-000001.0", outcome)
    spool.recover()
    state, receipt_no = recover_lane(shop=lane.shop, spool=spool, state=lane.state)
    assert receipt_no is None
    assert state.done is not None
    assert state.done.print == shown


def test_a_basket_that_was_sold_already_shows_the_receipt_that_it_got(lane: Lane) -> None:
    lane.scan(a_gtin(3))
    before = lane.state
    lane.pay(500)
    first = lane.state.done
    assert first is not None
    lane.scan(a_gtin(4))
    lane.pay(500)
    lane.state = before  # what a power cut may leave of the desk's file
    lane.paper.asked.clear()
    turn = lane.pay(1000)
    assert turn.receipt_no == first.receipt_no == "1-000001"
    assert lane.state.done is not None
    assert lane.state.done.receipt_text == first.receipt_text
    assert lane.state.done.change_minor == first.change_minor
    assert lane.paper.asked == ["receipt 1-000001"]
    assert lane.journal.last_receipt_no(1) == "1-000002"
