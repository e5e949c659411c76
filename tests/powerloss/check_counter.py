"""Whether customer, cashier and journal agree after the box came back."""

from __future__ import annotations

from pathlib import Path

from edge.replica.store import Replica
from edge.sale.commands import ScanCode, TakeTender
from edge.sale.recorded import printed_sale
from shared.sale.tender import TenderKind
from tests.builders import a_gtin
from tests.powerloss.campaign import Check, Facts, LostError
from tests.powerloss.counter import Counter, a_counter


def counter_check(replica: Replica) -> Check:
    """A check with that catalogue."""

    def check(folder: Path, promises: list[Facts]) -> None:
        papers = [facts["paper"] for facts in promises if "paper" in facts]
        with a_counter(folder, replica, lambda **_: None) as counter:
            _check_answers(counter, promises)
            _check_papers_are_sold(counter, papers)
            sold_before = _asked_again(counter, promises)
            counter.wait_printed()
            out = counter.outdoors
            _check_printed_once(counter, papers, out.papers)
            assert out.drawers <= (0 if sold_before else 1)
            _serve_one_more(counter)

    return check


def _check_answers(counter: Counter, promises: list[Facts]) -> None:
    told = [facts for facts in promises if facts.get("receipt")]
    lost = [facts for facts in told if counter.journal.sale_by_id(facts["of"]) is None]
    if lost:
        raise LostError(f"{len(lost)} sales lost, first {lost[0]}", len(lost))
    for facts in told:
        entry = counter.journal.sale_by_id(facts["of"])
        assert entry is not None
        assert printed_sale(entry).sale.receipt_no == facts["receipt"]


def _check_papers_are_sold(counter: Counter, papers: list[str]) -> None:
    for paper in papers:
        counter.journal.sale_by_receipt(paper.partition(".")[0])


def _asked_again(counter: Counter, promises: list[Facts]) -> bool:
    """The tablet sends again what was not answered; whether the sale was there already."""
    answered = {facts["answered"] for facts in promises if "answered" in facts}
    asked = next(
        (each for each in promises if each.get("sending", "") not in {"", *answered}), None
    )
    if asked is None:
        return True
    sold = counter.journal.sale_by_id(asked["of"])
    if sold is None and not _is_as_sent(counter, promises, asked):
        return False
    kind, amount_minor = asked["tender"]
    result = counter.do(TakeTender(TenderKind(kind), amount_minor), asked["sending"])
    if sold is not None:
        assert result.receipt_no == printed_sale(sold).sale.receipt_no
    return sold is not None


def _is_as_sent(counter: Counter, promises: list[Facts], asked: Facts) -> bool:
    """Whether the basket is the one that was to be paid.

    The lane's own file is synced when a payment arrives, not at each scan: before that a power cut
    may take scans back, and the cashier sees a shorter basket, or none.
    """
    basket = counter.state.basket
    codes = [each["codes"] for each in promises if each.get("basket") == asked["of"]][-1]
    if basket is None:
        return False
    found = [line.code for line in basket.lines]
    assert found == codes[: len(found)]
    return (basket.id, found) == (asked["of"], codes)


def _check_printed_once(counter: Counter, before: list[str], after: list[str]) -> None:
    """Each receipt came out once, or a person is told that it may not have."""
    assert len(set(before + after)) == len(before + after), (before, after)
    lane = counter.journal.recent_sales(1, 100)
    for entry, _ in lane:
        receipt_no = printed_sale(entry).sale.receipt_no
        if f"{receipt_no}.0" not in before + after:
            assert counter.spool.outcome(receipt_no) == "unknown", f"no paper for {receipt_no}"
            assert counter.state.done is not None
            assert counter.state.done.print == "unknown"


def _serve_one_more(counter: Counter) -> None:
    """The next customer's sale is in the journal, under a number that nobody has."""
    numbers = {
        printed_sale(entry).sale.receipt_no for entry, _ in counter.journal.recent_sales(1, 99)
    }
    if counter.state.basket is None:
        counter.do(ScanCode(a_gtin(1)))
    basket = counter.state.basket
    assert basket is not None
    left = 100_000
    receipt_no = counter.do(TakeTender(TenderKind.CASH, left)).receipt_no
    assert receipt_no is not None
    assert receipt_no not in numbers
    entry = counter.journal.sale_by_receipt(receipt_no)
    assert entry.id == basket.id
