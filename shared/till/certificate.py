"""The completeness certificate of a business day: which receipts there are, and that no other is.

The box makes it when it closes the day, from its journal alone, and signs it; head office makes
it again from the entries that arrived and signs beside the box where the two agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.journal.chain import HASH_BYTES, STREAM_BYTES
from shared.journal.merkle import merkle_root
from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex
from shared.sale.receipt_code import short_code
from shared.sale.receipt_no import ReceiptNo

CERTIFICATE_VERSION = 1
CERTIFICATE_TAG = b"tbc1"
COUNTERSIGN_TAG = b"tbcs1"
DOCUMENT_CHARS_MAX = 1 << 20
TILLS_MAX = 2_000
_NUMBER_MAX = (1 << 63) - 1

GrandTotals = tuple[int, int]
"""Perpetual sums of sales and of refunds, minor units."""


@dataclass(frozen=True, slots=True)
class DaySale:
    """A sale as the certificate counts it: its number, its entry's hash and its net."""

    no: ReceiptNo
    hash: bytes
    net_minor: int


@dataclass(frozen=True, slots=True)
class TillDay:
    """A till's receipts `first` to `last` of one series, all there; money in minor units.

    `root` (hex) is the Merkle root over their entries' hashes in the order of their numbers.
    """

    till: str
    series: str
    first: int
    last: int
    count: int
    net_minor: int
    refund_minor: int
    root: str


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Which stretch of a journal a certificate speaks of.

    `stream` is hex; entries `first_seq` to `last_seq` are the day's; the grand totals are those
    before the first and after the last of them.
    """

    store: str
    business_date: str
    stream: str
    first_seq: int
    last_seq: int
    gt_before: GrandTotals
    gt_after: GrandTotals


@dataclass(frozen=True, slots=True)
class DayCertificate:
    """What the box vouches for when it closes a day."""

    span: DaySpan
    tills: tuple[TillDay, ...]

    @property
    def count(self) -> int:
        """Receipts of all tills."""
        return sum(till.count for till in self.tills)

    @property
    def net_minor(self) -> int:
        """Net of all tills."""
        return sum(till.net_minor for till in self.tills)


def certificate_of(span: DaySpan, sales: Iterable[DaySale]) -> DayCertificate:
    """The certificate over a day's sales, in whatever order they come."""
    by_till: dict[tuple[int, str], list[DaySale]] = {}
    for sale in sales:
        by_till.setdefault((sale.no.lane, sale.no.series), []).append(sale)
    tills = (_till_day(key, by_till[key]) for key in sorted(by_till))
    return DayCertificate(span, tuple(tills))


def document_of(certificate: DayCertificate) -> str:
    """The certificate as canonical JSON: what is stored, hashed and signed."""
    span = certificate.span
    fields: dict[str, Any] = {
        "v": CERTIFICATE_VERSION,
        "store": span.store,
        "business_date": span.business_date,
        "stream": span.stream,
        "first_seq": span.first_seq,
        "last_seq": span.last_seq,
        "gt_before": _totals(span.gt_before),
        "gt_after": _totals(span.gt_after),
        "tills": [
            {
                "till": till.till,
                "series": till.series,
                "first": till.first,
                "last": till.last,
                "count": till.count,
                "net_minor": till.net_minor,
                "refund_minor": till.refund_minor,
                "root": till.root,
            }
            for till in certificate.tills
        ],
    }
    return canonical_bytes(fields).decode()


def read_certificate(document: str) -> DayCertificate:
    """Read a certificate's canonical JSON; RefusedError `certificate.form` for anything else."""
    try:
        if len(document) > DOCUMENT_CHARS_MAX:
            raise RefusedError("certificate.form")
        found = _certificate_of(json.loads(document))
        is_canonical = document_of(found) == document
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RefusedError("certificate.form") from None
    if not is_canonical:
        raise RefusedError("certificate.form")
    return found


def box_statement(document: str) -> bytes:
    """What the box's journal key signs."""
    return CERTIFICATE_TAG + document.encode()


def countersign_statement(document: str, box_sig: bytes) -> bytes:
    """What head office signs: the certificate together with the box's signature under it."""
    return COUNTERSIGN_TAG + sha256(document.encode()) + box_sig


def certificate_code(document: str) -> str:
    """The short code of a certificate, as on the closing slip and in the console."""
    return short_code(sha256(document.encode()))


def _till_day(key: tuple[int, str], sales: list[DaySale]) -> TillDay:
    ordered = sorted(sales, key=lambda sale: sale.no.number)
    return TillDay(
        till=str(key[0]),
        series=key[1],
        first=ordered[0].no.number,
        last=ordered[-1].no.number,
        count=len(ordered),
        net_minor=sum(sale.net_minor for sale in ordered),
        refund_minor=0,
        root=merkle_root([sale.hash for sale in ordered]).hex(),
    )


def _totals(totals: GrandTotals) -> dict[str, int]:
    return {"sales": totals[0], "refunds": totals[1]}


def _certificate_of(raw: Mapping[str, Any]) -> DayCertificate:
    if raw["v"] != CERTIFICATE_VERSION or not is_hex(raw["stream"], STREAM_BYTES):
        raise ValueError
    if len(raw["tills"]) > TILLS_MAX:
        raise ValueError
    span = DaySpan(
        store=_text(raw["store"]),
        business_date=_text(raw["business_date"]),
        stream=raw["stream"],
        first_seq=_count(raw["first_seq"]),
        last_seq=_count(raw["last_seq"]),
        gt_before=_read_totals(raw["gt_before"]),
        gt_after=_read_totals(raw["gt_after"]),
    )
    return DayCertificate(span, tuple(_read_till(till) for till in raw["tills"]))


def _read_till(raw: Mapping[str, Any]) -> TillDay:
    if not is_hex(raw["root"], HASH_BYTES):
        raise ValueError
    return TillDay(
        till=_text(raw["till"]),
        series=_text(raw["series"]),
        first=_count(raw["first"]),
        last=_count(raw["last"]),
        count=_count(raw["count"]),
        net_minor=_whole(raw["net_minor"]),
        refund_minor=_whole(raw["refund_minor"]),
        root=raw["root"],
    )


def _read_totals(raw: Mapping[str, Any]) -> GrandTotals:
    return _whole(raw["sales"]), _whole(raw["refunds"])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: object) -> int:
    if type(value) is not int or abs(value) > _NUMBER_MAX:
        raise TypeError
    return value


def _count(value: object) -> int:
    number = _whole(value)
    if number < 0:
        raise ValueError
    return number
