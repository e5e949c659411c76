"""What is wrong with a day's certificate: within itself, beside the entries, after the last one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.sale.receipt_no import ReceiptNo
from shared.till.certificate import DayCertificate, DaySale


def missing_number(sales: Iterable[DaySale]) -> ReceiptNo | None:
    """The first number that a till's run of numbers lacks or has twice; None when it is whole."""
    by_till: dict[tuple[int, str], list[int]] = {}
    for sale in sales:
        by_till.setdefault((sale.no.lane, sale.no.series), []).append(sale.no.number)
    for (lane, series), numbers in sorted(by_till.items()):
        for wanted, number in enumerate(sorted(numbers), start=min(numbers)):
            if number != wanted:
                return ReceiptNo(lane, series, min(wanted, number))
    return None


def flaw_within(certificate: DayCertificate) -> str | None:
    """What a certificate says against itself, as a dotted code; None when it is sound.

    `certificate.gap`: a till's numbers are not 1..N without gaps. `certificate.totals`: the
    grand totals did not grow by what was sold.
    """
    for till in certificate.tills:
        if till.first < 1 or till.count != till.last - till.first + 1:
            return "certificate.gap"
    span = certificate.span
    sold = span.gt_after[0] - span.gt_before[0]
    refunded = span.gt_after[1] - span.gt_before[1]
    if (sold, refunded) != (
        certificate.net_minor,
        sum(till.refund_minor for till in certificate.tills),
    ):
        return "certificate.totals"
    return None


def flaw_between(stated: DayCertificate, found: DayCertificate) -> str | None:
    """Where a stated certificate differs from the one made of the entries that are there.

    `certificate.place` (store, day, journal), `certificate.range`, `certificate.receipts`
    (numbers or count), `certificate.amounts`, `certificate.root`, `certificate.grand_totals`.
    """
    pairs = zip(_aspects(stated), _aspects(found), strict=True)
    return next((code for (code, mine), (_, other) in pairs if mine != other), None)


def flaw_after(before: DayCertificate, after: DayCertificate) -> str | None:
    """Whether a certificate goes on where the one before it in its journal ended.

    `certificate.skipped` (a receipt number between them is missing or comes twice),
    `certificate.carried` (the grand totals moved between them).
    """
    last = {(till.till, till.series): till.last for till in before.tills}
    for till in after.tills:
        end = last.get((till.till, till.series))
        if end is not None and till.first != end + 1:
            return "certificate.skipped"
    if before.span.gt_after != after.span.gt_before:
        return "certificate.carried"
    return None


def _aspects(of: DayCertificate) -> Iterator[tuple[str, object]]:
    """What two certificates of one day must agree on, what hurts most to have wrong first."""
    span, tills = of.span, of.tills
    yield "certificate.place", (span.store, span.business_date, span.stream)
    yield "certificate.range", (span.first_seq, span.last_seq)
    yield (
        "certificate.receipts",
        [(till.till, till.series, till.first, till.last, till.count) for till in tills],
    )
    yield "certificate.amounts", [(till.net_minor, till.refund_minor) for till in tills]
    yield "certificate.root", [till.root for till in tills]
    yield "certificate.grand_totals", (span.gt_before, span.gt_after)
