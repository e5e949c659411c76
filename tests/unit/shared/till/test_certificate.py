from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal.merkle import merkle_root
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.sale.receipt_code import short_code
from shared.sale.receipt_no import ReceiptNo
from shared.till.certificate import (
    DayCertificate,
    DaySale,
    DaySpan,
    certificate_code,
    certificate_of,
    countersign_statement,
    document_of,
    read_certificate,
)
from shared.till.certificate_check import flaw_after, flaw_between, flaw_within, missing_number
from tests.builders import STREAM

SPAN = DaySpan("343", "2017-08-07", STREAM, 4, 9, (5_000, 0), (8_700, 0))


def a_day_sale(lane: int, number: int, net_minor: int, series: str = "") -> DaySale:
    return DaySale(ReceiptNo(lane, series, number), sha256(bytes((lane, number))), net_minor)


SALES = [
    a_day_sale(2, 1, 700),
    a_day_sale(1, 8, 1_000),
    a_day_sale(1, 7, 1_500),
    a_day_sale(1, 1, 500, "K7QM"),
]
CERTIFICATE = certificate_of(SPAN, SALES)


def test_each_till_and_series_has_its_range_its_sum_and_its_root() -> None:
    first, second, third = CERTIFICATE.tills
    assert (first.till, first.series, first.first, first.last, first.count) == ("1", "", 7, 8, 2)
    assert first.net_minor == 2_500
    assert first.root == merkle_root([SALES[2].hash, SALES[1].hash]).hex()
    assert (second.till, second.series, second.first, second.last) == ("1", "K7QM", 1, 1)
    assert (third.till, third.net_minor) == ("2", 700)
    assert (CERTIFICATE.count, CERTIFICATE.net_minor) == (4, 3_700)


@given(st.permutations(SALES))
def test_the_order_in_which_sales_are_read_does_not_matter(sales: list[DaySale]) -> None:
    assert certificate_of(SPAN, sales) == CERTIFICATE


def test_its_document_reads_back_and_has_one_form_only() -> None:
    document = document_of(CERTIFICATE)
    assert read_certificate(document) == CERTIFICATE
    assert certificate_code(document) == short_code(sha256(document.encode()))
    for other in (document + " ", document.replace(",", ", ", 1), document.replace("}", ',"x":1}')):
        with pytest.raises(RefusedError, match="form"):
            read_certificate(other)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        document_of(CERTIFICATE).replace('"count":2', '"count":2.0'),
        document_of(CERTIFICATE).replace('"count":2', '"count":true'),
        document_of(CERTIFICATE).replace('"first_seq":4', '"first_seq":-4'),
        document_of(CERTIFICATE).replace(STREAM, STREAM.upper()),
        document_of(CERTIFICATE).replace('"v":1', '"v":2'),
    ],
)
def test_what_is_no_certificate_is_refused(document: str) -> None:
    with pytest.raises(RefusedError, match="form"):
        read_certificate(document)


def test_head_office_signs_the_boxs_signature_too() -> None:
    document = document_of(CERTIFICATE)
    assert countersign_statement(document, b"1" * 64) != countersign_statement(document, b"2" * 64)


def with_till(**changed: int | str) -> DayCertificate:
    first, *others = CERTIFICATE.tills
    return replace(CERTIFICATE, tills=(replace(first, **changed), *others))  # type: ignore[arg-type]


def with_span(**changed: object) -> DayCertificate:
    return replace(CERTIFICATE, span=replace(SPAN, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("certificate", "flaw"),
    [
        (CERTIFICATE, None),
        (with_till(first=0, count=9), "certificate.gap"),
        (with_till(count=1), "certificate.gap"),
        (with_till(last=9), "certificate.gap"),
        (with_till(net_minor=2_400), "certificate.totals"),
        (with_till(refund_minor=100), "certificate.totals"),
        (with_span(gt_before=(4_900, 0)), "certificate.totals"),
        (with_span(gt_after=(8_700, 1)), "certificate.totals"),
    ],
)
def test_what_a_certificate_says_against_itself_is_named(
    certificate: DayCertificate, flaw: str | None
) -> None:
    assert flaw_within(certificate) == flaw


@pytest.mark.parametrize(
    ("stated", "flaw"),
    [
        (CERTIFICATE, None),
        (with_span(store="344"), "certificate.place"),
        (with_span(business_date="2017-08-08"), "certificate.place"),
        (with_span(stream="ab" * 16), "certificate.place"),
        (with_span(last_seq=8), "certificate.range"),
        (with_till(last=9), "certificate.receipts"),
        (replace(CERTIFICATE, tills=CERTIFICATE.tills[1:]), "certificate.receipts"),
        (with_till(net_minor=1), "certificate.amounts"),
        (with_till(root="00" * 32), "certificate.root"),
        (with_span(gt_after=(8_701, 0)), "certificate.grand_totals"),
    ],
)
def test_a_difference_from_what_arrived_is_named(stated: DayCertificate, flaw: str | None) -> None:
    assert flaw_between(stated, CERTIFICATE) == flaw


def a_day_after(sales: list[DaySale], gt_before: int = 8_700) -> DayCertificate:
    return certificate_of(replace(SPAN, first_seq=11, gt_before=(gt_before, 0)), sales)


@pytest.mark.parametrize(
    ("after", "flaw"),
    [
        (a_day_after([]), None),
        (a_day_after([a_day_sale(1, 9, 1), a_day_sale(3, 1, 1)]), None),
        (a_day_after([a_day_sale(1, 10, 1)]), "certificate.skipped"),
        (a_day_after([a_day_sale(1, 8, 1)]), "certificate.skipped"),
        (a_day_after([a_day_sale(1, 9, 1)], 8_701), "certificate.carried"),
    ],
)
def test_a_day_goes_on_where_the_one_before_ended(after: DayCertificate, flaw: str | None) -> None:
    assert flaw_after(CERTIFICATE, after) == flaw


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [([], None), ([3, 1, 2], None), ([5, 6], None), ([1, 3], 2), ([1, 2, 2, 4], 2), ([2, 2], 2)],
)
def test_a_run_of_numbers_is_whole_or_the_first_fault_is_named(
    numbers: list[int], missing: int | None
) -> None:
    found = missing_number([a_day_sale(1, number, 1) for number in numbers])
    assert found == (None if missing is None else ReceiptNo(1, "", missing))
