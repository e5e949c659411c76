"""Entries as flat rows, one JSON object per line, for spreadsheets and BI.

An entry gives one row of its own; a sale gives one more for each line, price modifier and tender.
Every row starts with the `COMMON` columns, so rows of one kind make a table and tables join by
`entry_id`. Money stands twice, as whole minor units (`x_minor`) and as decimal text (`x`).

Rows of a flagged entry (`flag` is not empty) are in no sum of headquarters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from shared.export.entry import ExportedEntry
from shared.export.poslog_control import OPENED_BY_SALE
from shared.journal.event import (
    AgeConfirmed,
    BasketVoided,
    DayClosed,
    DayOpened,
    DrawerOpened,
    Event,
    OperatorSignedOff,
    OperatorSignedOn,
    ReceiptReprinted,
    SaleCompleted,
)
from shared.kernel.money import format_minor
from shared.kernel.quantity import format_milli
from shared.sale.basket import VoidedLine
from shared.sale.line_price import MEMBER_PRICE, OFFER, STORE_COUPON
from shared.sale.pack import PackFacts
from shared.sale.transaction import RetailTransaction, SoldLine

Value = str | int | bool | None
Row = dict[str, Value]

COMMON = (
    *("kind", "entry_id", "entry_type", "store_id", "stream", "seq", "hash", "salvaged_by"),
    *("at_ms", "at", "business_date", "lane", "operator", "revision", "currency", "flag"),
)
_SUMS = (
    *("gross", "member_disc", "offer_disc", "store_coupon", "net", "tax", "mfr_coupon"),
    *("tender", "change", "rounding"),
)
_SALE = ("receipt_no", "opened_at", "member", "lines", "units")
_LINE = (
    *("receipt_no", "line_no", "is_voided", "gtin", "code", "name", "quantity", "quantity_milli"),
    *("is_weighed", "tax_bp", "override_reason", "override_by", "void_reason"),
    *("lot", "serial", "expiry"),
)


_NO_PACK = PackFacts()


def _money(*names: str) -> tuple[str, ...]:
    return tuple(column for name in names for column in (f"{name}_minor", name))


KINDS: dict[str, tuple[str, ...]] = {
    "sale": (*_SALE, *_money(*_SUMS)),
    "line": (
        *_LINE,
        *_money("unit", "gross", "member_disc", "offer_disc", "store_coupon", "net", "tax"),
    ),
    "modifier": (
        *("receipt_no", "line_no", "n", "modifier", "because", "reference", "name"),
        *_money("amount"),
    ),
    "tender": ("receipt_no", "n", "tender", "reference", *_money("amount")),
    "day_opened": (),
    "day_closed": ("z",),
    "basket_voided": ("lines", "reason", *_money("net")),
    "age_confirmed": ("years", "gtins", "sale_id"),
    "no_sale": ("reason",),
    "drawer_opened": ("reason",),
    "reprint": ("receipt_no", "copy"),
    "signed_on": (),
    "signed_off": (),
    "other": ("data",),
    "unreadable": ("body",),
    "end": ("rows", "entries"),
}
"""Columns of each kind after the common ones; `end` is the last row and has none of those."""


def json_lines(entry: ExportedEntry) -> Iterator[str]:
    """The rows of one entry, each with its newline."""
    for row in rows_of(entry):
        yield _line(row)


def end_line(rows: int, entries: int) -> str:
    """The last line: a file without it was cut off."""
    return _line({"kind": "end", "rows": rows, "entries": entries})


def rows_of(entry: ExportedEntry) -> Iterator[Row]:
    """One row for the entry, and for a sale one for each line, modifier and tender."""
    if isinstance(entry.event, SaleCompleted):
        yield from _sale_rows(entry, entry.event.sale)
        return
    kind, facts = _facts(entry, entry.event)
    yield {**_common(entry, kind), **facts}


def _facts(entry: ExportedEntry, event: Event | None) -> tuple[str, Row]:
    facts: Row = {}
    match event:
        case None:
            kind, facts = "unreadable", {"body": entry.body}
        case DayOpened():
            kind = "day_opened"
        case DayClosed(z=z):
            kind, facts = "day_closed", {"z": _packed(z)}
        case BasketVoided(lines=lines, net_minor=net_minor, reason=reason):
            amounts = _amounts(entry, {"net": net_minor})
            kind, facts = "basket_voided", {"lines": lines, "reason": reason, **amounts}
        case AgeConfirmed(years=years, goods=goods, sale=sale):
            gtins = " ".join(each.gtin for each in goods)
            kind, facts = "age_confirmed", {"years": years, "gtins": gtins, "sale_id": sale}
        case DrawerOpened(reason=reason):
            kind = "drawer_opened" if reason == OPENED_BY_SALE else "no_sale"
            facts = {"reason": reason}
        case ReceiptReprinted(receipt_no=receipt_no, copy=copy):
            kind, facts = "reprint", {"receipt_no": receipt_no, "copy": copy}
        case OperatorSignedOn():
            kind = "signed_on"
        case OperatorSignedOff():
            kind = "signed_off"
        case _:
            kind, facts = "other", {"data": _packed(asdict(event))}
    return kind, facts


def _common(entry: ExportedEntry, kind: str) -> Row:
    return {
        "kind": kind,
        "entry_id": entry.id,
        "entry_type": entry.type,
        "store_id": entry.store.id,
        "stream": entry.stream,
        "seq": entry.seq,
        "hash": entry.hash,
        "salvaged_by": entry.carrier,
        "at_ms": entry.at_ms,
        "at": entry.at,
        "business_date": entry.business_date,
        "lane": entry.lane,
        "operator": entry.operator,
        "revision": entry.revision,
        "currency": entry.store.currency.code,
        "flag": entry.flag,
    }


def _sale_rows(entry: ExportedEntry, sale: RetailTransaction) -> Iterator[Row]:
    common = _common(entry, "sale")
    common |= {"lane": str(sale.lane), "operator": sale.operator, "revision": sale.revision}
    totals = sale.totals
    yield {
        **common,
        "receipt_no": sale.receipt_no,
        "opened_at": entry.store.local(sale.opened_at_ms),
        "member": sale.member,
        "lines": totals.lines,
        "units": totals.units,
        **_amounts(
            entry,
            {
                "gross": totals.gross_minor,
                "member_disc": totals.member_disc_minor,
                "offer_disc": totals.offer_disc_minor,
                "store_coupon": totals.store_coupon_minor,
                "net": totals.net_minor,
                "tax": sum(line.tax_minor for line in sale.lines),
                "mfr_coupon": totals.mfr_coupon_minor,
                "tender": totals.tender_minor,
                "change": sale.change_minor,
                "rounding": totals.rounding_minor,
            },
        ),
    }
    for line in sale.lines:
        yield {**common, "kind": "line", **_line_facts(entry, sale, line)}
        yield from _modifier_rows(entry, common, sale, line)
    for gone in sale.voided:
        yield {**common, "kind": "line", **_voided_facts(entry, sale, gone)}
    for n, tender in enumerate(sale.tenders, start=1):
        yield {
            **common,
            "kind": "tender",
            "receipt_no": sale.receipt_no,
            "n": n,
            "tender": tender.kind.value,
            "reference": tender.reference,
            **_amounts(entry, {"amount": tender.amount_minor}),
        }


def _line_facts(entry: ExportedEntry, sale: RetailTransaction, line: SoldLine) -> Row:
    override, pack = line.override, line.pack or _NO_PACK
    return {
        "receipt_no": sale.receipt_no,
        "line_no": line.n,
        "is_voided": False,
        "gtin": line.gtin,
        "code": line.code,
        "name": line.name,
        "quantity": format_milli(line.qty_milli),
        "quantity_milli": line.qty_milli,
        "is_weighed": line.is_weighed,
        "tax_bp": line.tax_bp,
        "override_reason": None if override is None else override.reason,
        "override_by": None if override is None else override.approved_by,
        "void_reason": None,
        "lot": pack.lot or None,
        "serial": pack.serial or None,
        "expiry": pack.expiry or None,
        **_amounts(
            entry,
            {
                "unit": line.unit_minor,
                "gross": line.gross_minor,
                "member_disc": _taken(line, MEMBER_PRICE),
                "offer_disc": _taken(line, OFFER),
                "store_coupon": _taken(line, STORE_COUPON),
                "net": line.net_minor,
                "tax": line.tax_minor,
            },
        ),
    }


def _voided_facts(entry: ExportedEntry, sale: RetailTransaction, line: VoidedLine) -> Row:
    amounts = ("unit", "gross", "member_disc", "offer_disc", "store_coupon", "net", "tax")
    return {
        "receipt_no": sale.receipt_no,
        "line_no": line.number,
        "is_voided": True,
        "gtin": None,
        "code": line.code,
        "name": line.name,
        "quantity": format_milli(line.qty_milli),
        "quantity_milli": line.qty_milli,
        "is_weighed": None,
        "tax_bp": None,
        "override_reason": None,
        "override_by": None,
        "void_reason": line.reason,
        **dict.fromkeys(("lot", "serial", "expiry")),
        **_amounts(entry, dict.fromkeys(amounts)),
    }


def _modifier_rows(
    entry: ExportedEntry, common: Row, sale: RetailTransaction, line: SoldLine
) -> Iterator[Row]:
    names = {offer.id: offer.name for offer in sale.offers}
    for n, modifier in enumerate(line.modifiers, start=1):
        yield {
            **common,
            "kind": "modifier",
            "receipt_no": sale.receipt_no,
            "line_no": line.n,
            "n": n,
            "modifier": modifier.kind,
            "because": modifier.because,
            "reference": modifier.reference,
            "name": names.get(modifier.reference, ""),
            **_amounts(entry, {"amount": modifier.amount_minor}),
        }


def _taken(line: SoldLine, kind: str) -> int:
    return -sum(modifier.amount_minor for modifier in line.modifiers if modifier.kind == kind)


def _amounts(entry: ExportedEntry, amounts: Mapping[str, int | None]) -> Row:
    currency = entry.store.currency
    found: Row = {}
    for name, minor in amounts.items():
        found[f"{name}_minor"] = minor
        found[name] = None if minor is None else format_minor(minor, currency)
    return found


def _packed(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
