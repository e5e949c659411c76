"""Codes that tell of one pack, at one lane: lots, expiry, weights, prices of other labels."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.sale.commands import ConfirmAge, SetQuantity
from edge.sale.recorded import recorded_sale
from shared.item.labels import own_scheme, scheme_of
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import check_digit
from shared.sale.pack import PackFacts
from shared.sale.reprice import is_by_weight
from shared.sale.transaction import SoldLine
from shared.wire.codec import parse_body
from tests.builders import a_gtin
from tests.integration.edge.boxes import (
    DAY,
    WEIGHED_NUMBER,
    WEIGHED_PLU,
    item_record,
    price_record,
)
from tests.integration.edge.lanes import ANN, Lane, a_lane

GS = "\x1d"
YEAR = int(DAY[2:4])


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    with a_lane(tmp_path) as made:
        yield made


def elements(number: int, rest: str = "") -> str:
    """What a scanner sends of a DataMatrix on one of the store's items."""
    return f"]d201{a_gtin(number).zfill(14)}{rest}"


def unknown(lane: Lane) -> list[str]:
    return [each.because for each in lane.basket().unknown]


def sold(lane: Lane) -> tuple[SoldLine, ...]:
    done = lane.state.done
    assert done is not None
    sale, _ = recorded_sale(lane.journal.sale_by_receipt(done.receipt_no))
    return sale.lines


def test_what_the_code_told_of_a_pack_is_kept_with_the_sale(lane: Lane) -> None:
    lane.scan(elements(3, f"17{YEAR + 1}013110L7{GS}21S1"), a_gtin(4))
    lane.pay(700)
    with_pack, plain = sold(lane)
    assert with_pack.pack == PackFacts("L7", "S1", f"20{YEAR + 1}-01-31")
    assert with_pack.code == f"01{a_gtin(3).zfill(14)}17{YEAR + 1}013110L7^21S1"
    assert plain.pack is None


def test_a_sale_without_such_codes_is_recorded_as_ever(lane: Lane) -> None:
    lane.scan(f"]E0{a_gtin(4)}")
    lane.pay(400)
    (line,) = sold(lane)
    assert (line.code, line.pack) == (a_gtin(4), None)


def test_packs_of_one_lot_share_a_line_and_other_lots_do_not(lane: Lane) -> None:
    lane.scan(elements(3, "10A"), elements(3, "10A"), elements(3, "10B"), a_gtin(3))
    assert [line.qty_milli for line in lane.basket().lines] == [2000, 1000, 1000]
    assert [line.pack and line.pack.lot for line in lane.basket().lines] == ["A", "B", None]


@pytest.mark.parametrize(
    ("days", "is_sold"), [(-1, False), (0, True), (1, True)], ids=["past", "last day", "later"]
)
def test_what_has_expired_is_not_sold(lane: Lane, days: int, is_sold: bool) -> None:
    expiry = str(int(DAY.replace("-", "")) + days)[2:]  # the day is within its month
    lane.scan(elements(3, f"17{expiry}"))
    assert unknown(lane) == ([] if is_sold else ["item.expired"])
    assert len(lane.basket().lines) == int(is_sold)


def test_one_piece_is_not_sold_twice(lane: Lane) -> None:
    lane.scan(elements(3, "21S1"), elements(3, "21S2"), elements(3, "21S1"), elements(4, "21S1"))
    assert [line.pack and line.pack.serial for line in lane.basket().lines] == ["S1", "S2", "S1"]
    assert unknown(lane) == ["item.serial_twice"]


def test_a_piece_with_a_serial_number_stays_one(lane: Lane) -> None:
    lane.scan(elements(3, "21S1"))
    with pytest.raises(RefusedError, match=r"quantity\.serial"):
        lane.do(SetQuantity(1, 2000))
    lane.do(SetQuantity(1, 1000))


@pytest.mark.parametrize(
    ("scan", "because"),
    [
        ("]Q1HELLO", "barcode.text"),
        ("]Q1https://shop.example/", "barcode.web_link"),
        ("]C100340123450000000000", "barcode.not_an_item"),
        ("]C0HELLO", "barcode.characters"),
        (elements(3, "05X"), "barcode.ai_unknown"),
    ],
)
def test_what_names_no_item_is_listed_with_its_reason(lane: Lane, scan: str, because: str) -> None:
    lane.scan(scan)
    assert unknown(lane) == [because]
    shown = lane.basket().unknown[0].code
    assert not shown.startswith("]")
    assert shown.isprintable()


HAM, RICE = "90614141000015", "2388060100006"


def weighed(lane: Lane, gtin: str) -> None:
    """An item by weight, at 4.00 a kilogram."""
    item, price = item_record(50, "Ham", is_weighed=True), price_record(50, 400)
    lane.publish(
        replace(item, key=gtin, body={**item.body, "gtin": gtin}),
        replace(price, key=gtin),
    )


def test_a_variable_item_is_sold_by_the_weight_in_its_code(lane: Lane) -> None:
    weighed(lane, HAM)
    lane.scan(f"]e001{HAM}3103000250", f"]e001{HAM}310400250510A")
    lane.pay(200)
    first, second = sold(lane)
    assert (first.qty_milli, first.net_minor, first.pack) == (250, 100, None)
    assert first.weighed is not None
    assert first.weighed.source == "label"
    assert (second.qty_milli, second.pack) == (251, PackFacts("A"))  # 0.2505 kg
    assert is_by_weight(first)


def test_a_variable_item_is_sold_at_the_price_in_its_code(lane: Lane) -> None:
    weighed(lane, HAM)
    lane.scan(f"]e001{HAM}31030002503922199", f"]e001{HAM}310300025039328400250")
    lane.pay(449)
    first, second = sold(lane)
    assert (first.qty_milli, first.gross_minor, first.pack) == (
        1000,
        199,
        PackFacts(is_priced=True),
    )
    assert second.net_minor == 250
    assert not is_by_weight(first)


@pytest.mark.parametrize(
    ("price", "because"),
    [
        ("3932978199", "barcode.currency"),
        ("39231995", "barcode.price_fraction"),
        ("3922000", "barcode.price_range"),
        ("3920999999999999999", "barcode.price_range"),
    ],
)
def test_a_price_that_is_no_money_here_is_not_sold(lane: Lane, price: str, because: str) -> None:
    weighed(lane, HAM)
    lane.scan(f"]e001{HAM}3103000250{price}")
    assert unknown(lane) == [because]


def test_a_country_says_what_the_digits_of_its_labels_mean(lane: Lane) -> None:
    weighed(lane, RICE)
    lane.shop = replace(lane.shop, scheme=scheme_of("SE"))
    lane.scan("2388060112344")
    (line,) = lane.basket().lines
    assert (line.item.gtin, line.qty_milli, line.code) == (RICE, 1234, "2388060112344")


def test_a_count_in_the_code_is_the_quantity(lane: Lane) -> None:
    case = "90614141000015"
    item, price = item_record(51, "Rolls"), price_record(51, 25)
    lane.publish(
        replace(item, key=case, body={**item.body, "gtin": case}), replace(price, key=case)
    )
    lane.scan(f"]e001{case}3012")
    assert [line.qty_milli for line in lane.basket().lines] == [12_000]


def test_a_chain_with_prefixes_of_its_own_sells_by_them(lane: Lane) -> None:
    lane.shop = replace(lane.shop, scheme=own_scheme([22], [28], []))
    lane.publish(price_record(WEIGHED_NUMBER, 400))
    weight, price = (prefix + WEIGHED_PLU + "00250" for prefix in ("22", "28"))
    lane.scan(weight + check_digit(weight), price + check_digit(price))
    lane.pay(350)
    by_weight, by_price = sold(lane)
    assert (by_weight.qty_milli, by_weight.net_minor, is_by_weight(by_weight)) == (250, 100, True)
    assert (by_price.qty_milli, by_price.net_minor, is_by_weight(by_price)) == (1000, 250, False)


def test_the_barcode_of_a_case_sells_all_its_units(lane: Lane) -> None:
    case = f"1{a_gtin(3)[:-1]}"
    case += check_digit(case)
    other = a_gtin(60)
    lane.publish(item_record(3, codes=[[case, 12_000, "case"], [other, 1_000, ""]]))
    lane.scan(case, other, a_gtin(3), f"]d201{case}10A")
    plain, lot = lane.basket().lines
    assert (plain.item.gtin, plain.qty_milli, plain.code) == (a_gtin(3), 14_000, case)
    assert (lot.qty_milli, lot.pack) == (12_000, PackFacts("A"))
    assert unknown(lane) == []
    lane.pay(26 * 300)
    assert [line.gtin for line in sold(lane)] == [a_gtin(3)] * 2


def test_a_code_belongs_to_its_item_from_the_revision_that_says_so(lane: Lane) -> None:
    other = a_gtin(60)
    lane.scan(a_gtin(4))  # pins the revision before
    lane.publish(item_record(3, codes=[[other, 1_000, ""]]))
    lane.scan(other)
    assert unknown(lane) == ["item.unknown"]
    assert lane.replica.find_item(other, lane.replica.active_revision()) == lane.replica.find_item(
        a_gtin(3), lane.replica.active_revision()
    )
    lane.publish(item_record(3))
    assert lane.replica.find_item(other, lane.replica.active_revision()) is None


def confirmed(lane: Lane) -> list[tuple[str, int, list[str], str]]:
    """Who said that a customer was how old, for which goods of which sale, by the journal."""
    entries = lane.journal.read(0, 1000, 1 << 20)
    bodies = [parse_body(each.body) for each in entries if each.type == "age.confirmed"]
    facts = [(body["actor"], body["data"]) for body in bodies]
    return [
        (actor, data["years"], [each["gtin"] for each in data["goods"]], data["sale"])
        for actor, data in facts
    ]


def test_goods_with_an_age_limit_are_paid_once_the_customer_is_old_enough(lane: Lane) -> None:
    lane.publish(item_record(3, age_limit=16), item_record(4, age_limit=18))
    lane.scan(a_gtin(3))
    assert lane.basket().age_asked == 16
    with pytest.raises(RefusedError, match=r"basket\.age_unknown"):
        lane.pay(300)
    with pytest.raises(RefusedError, match=r"basket\.age "):
        lane.do(ConfirmAge(21))  # not what the screen asks
    lane.do(ConfirmAge(16))
    assert lane.basket().age_asked == 0
    lane.scan(a_gtin(4))  # asks for more
    assert lane.basket().age_asked == 18
    sale = lane.basket().id
    lane.do(ConfirmAge(18))
    lane.pay(700)
    assert confirmed(lane) == [
        (ANN.id, 16, [a_gtin(3)], sale),
        (ANN.id, 18, [a_gtin(4)], sale),
    ]
    assert lane.journal.sale_by_id(sale) is not None
    assert len(sold(lane)) == 2
    lane.scan(a_gtin(3))  # the next customer
    assert lane.basket().age_asked == 16
