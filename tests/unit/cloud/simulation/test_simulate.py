"""What a simulation says of baskets whose amounts are worked by hand."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from datetime import date

import pytest

from cloud.simulation.recorded import RecordedBasket
from cloud.simulation.report import Scope, SimulationReport, report_of
from cloud.simulation.simulate import Rules, simulate
from cloud.simulation.tally import Change, Margin
from cloud.simulation.view import report_rows, report_texts
from shared.price.condition import ALL, MinSpend, Selector
from shared.price.context import PriceContext, PriceLine, PricingInstant
from shared.price.offer import Level, Offer
from shared.price.offer_book import EMPTY_BOOK, OfferBook
from shared.price.reward import AmountOff, PercentOff

DAY = date(2026, 1, 5)
AT = PricingInstant(1_767_600_000_000, DAY, 30_000)
TEA_TENTH = Offer("tea-10", Level.LINE, PercentOff(1000), Selector(skus=frozenset({"tea"})))
TEA_FIFTH = Offer("tea-10", Level.LINE, PercentOff(2000), Selector(skus=frozenset({"tea"})))
OVER_50 = Offer("over-50", Level.BASKET, AmountOff(500), when=(MinSpend(ALL, 5000),))


def basket(
    receipt: str,
    *lines: tuple[str, int],
    coupons: tuple[int, ...] = (),
    costs: tuple[int | None, ...] = (),
    tax_bp: int = 0,
) -> RecordedBasket:
    goods = tuple(
        PriceLine(place, sku, 1000, minor, tax_bp=tax_bp)
        for place, (sku, minor) in enumerate(lines)
    )
    gross = sum(minor for _, minor in lines)
    paid = gross - sum(coupons)
    return RecordedBasket("17", receipt, goods, PriceContext(), AT, gross, paid, coupons, costs)


def rules(today: Iterable[Offer], draft: Iterable[Offer]) -> Rules:
    return Rules(OfferBook.of(today), OfferBook.of(draft))


def test_winners_and_losers_are_counted_with_their_sums() -> None:
    tally = simulate(
        [
            basket("1", ("tea", 1000)),  # 1.00 off today, 2.00 in the draft
            basket("2", ("tea", 1000), ("rice", 4300)),  # 1.00 and 5.00 off; then 2.00
            basket("3", ("rice", 1000)),
        ],
        rules([TEA_TENTH, OVER_50], [TEA_FIFTH]),
    )
    assert tally.change == Change(winners=1, winners_minor=100, losers=1, losers_minor=400)
    assert (tally.today.touched, tally.today.discount_minor) == (2, 700)
    assert (tally.draft.touched, tally.draft.discount_minor) == (2, 400)
    assert tally.draft.offers["tea-10"].change == tally.change
    assert tally.today.offers["over-50"].change == Change(losers=1, losers_minor=400)
    assert (tally.baskets, tally.lines, tally.unlike_receipt) == (3, 4, 2)


def test_a_coupon_of_a_line_takes_no_more_than_offers_left() -> None:
    tally = simulate([basket("1", ("tea", 1000), coupons=(900,))], rules([], [TEA_FIFTH]))
    assert (tally.today.due_minor, tally.draft.due_minor) == (100, 0)
    assert tally.draft.discount_minor == 200
    assert tally.change == Change(winners=1, winners_minor=100)


def test_the_worst_baskets_have_the_largest_share_of_their_list_amount() -> None:
    tally = simulate(
        [basket(str(n), ("tea", 1000), ("rice", 100 * n)) for n in range(1, 30)],
        rules([], [TEA_FIFTH]),
    )
    kept = tally.draft.worst.ranked()
    assert [each.receipt_no for each in kept] == [str(n) for n in range(1, 11)]
    assert (kept[0].share_ppm, kept[0].discount_minor, kept[0].day) == (181_818, 200, "2026-01-05")
    assert len(tally.draft.offers["tea-10"].worst.ranked()) == 3
    assert tally.today.worst.ranked() == ()


def test_margin_is_without_tax_and_over_known_costs() -> None:
    tally = simulate(
        [basket("1", ("tea", 1130), ("rice", 500), costs=(400, None), tax_bp=1300)],
        rules([], [TEA_FIFTH]),
    )
    assert tally.today.margin == Margin(2, 1, 1000, 400)
    # 11.30 less 2.26 is 9.04, of which 1.04 are tax.
    assert tally.draft.margin == Margin(2, 1, 800, 400)
    assert tally.draft.offers["tea-10"].margin == Margin(1, 0, 800, 400)
    assert tally.draft.margin.margin_minor == 400


def test_offers_that_touched_nothing_are_in_the_report() -> None:
    report = reported([basket("1", ("rice", 1000))], rules([], [TEA_FIFTH, OVER_50]))
    assert [(row.offer.id, row.did.baskets) for row in report.stores[0].draft] == [
        ("tea-10", 0),
        ("over-50", 0),
    ]
    assert "  tea-10       0   0.00      0    0.00     0     0  tea-10" in list(
        report_texts(report)
    )


def reported(baskets: Iterable[RecordedBasket], both: Rules) -> SimulationReport:
    scope = Scope(DAY, DAY, {"17": both.today.offers}, {"17": both.draft.offers})
    return report_of(scope, {"17": simulate(baskets, both)}, {"17": "CNY"})


def test_amounts_of_two_currencies_are_never_added() -> None:
    both = rules([], [TEA_FIFTH])
    tally = simulate([basket("1", ("tea", 1000))], both)
    offers = dict.fromkeys(("a", "b", "c"), both.draft.offers)
    report = report_of(
        Scope(DAY, DAY, dict.fromkeys(offers, ()), offers),
        dict.fromkeys(offers, tally),
        {"a": "CNY", "b": "TWD", "c": "CNY"},
    )
    totals = [(each.currency, each.tally.draft.discount_minor) for each in report.totals]
    assert totals == [("CNY", 400), ("TWD", 200)]
    assert [each.tally.draft.discount_minor for each in report.stores] == [200] * 3
    csv_sums = [row[:3] + row[7:8] for row in report_rows(report) if row[2] == "draft" and row[3]]
    assert csv_sums[-2:] == [("", "CNY", "draft", 400), ("", "TWD", "draft", 200)]


@pytest.mark.parametrize("draft", [[TEA_FIFTH], [OVER_50, TEA_TENTH]])
def test_baskets_are_not_kept(draft: list[Offer]) -> None:
    both = rules([TEA_TENTH], draft)
    simulate(many_baskets(100), both)  # whatever is made once is made now
    kept = peak_bytes(lambda: list(many_baskets(2_000)))
    assert peak_bytes(lambda: simulate(many_baskets(2_000), both)) < kept / 10


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def many_baskets(count: int) -> Iterator[RecordedBasket]:
    for n in range(count):
        yield basket(f"1-{n:06d}", ("tea", 1000 + n % 977), ("rice", 100 + n % 5501))


def test_without_offers_everybody_pays_what_was_paid() -> None:
    tally = simulate([basket("1", ("tea", 1000), coupons=(100,))], Rules(EMPTY_BOOK, EMPTY_BOOK))
    assert tally.today.due_minor == tally.draft.due_minor == tally.paid_minor == 900
    assert tally.unlike_receipt == 0
