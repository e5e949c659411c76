"""SQL of the reports: the books, the days' certificates and `store`; money is minor units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from shared.sale.receipt_code import short_code

DAYS_SHOWN = 31
RECENT_SALES = 20
SHOWN_SUMS = (
    "receipts",
    "lines",
    "units",
    "gross_minor",
    "member_disc_minor",
    "offer_disc_minor",
    "store_coupon_minor",
    "net_minor",
    "mfr_coupon_minor",
    "tender_minor",
    "rounding_minor",
)
COMPARED_SUMS = (*SHOWN_SUMS, "cash_minor", "card_minor")
"""What head office and the box must agree on, by its name in the Z report."""

_DERIVED = {"rounding_minor": "tender_minor - net_minor + mfr_coupon_minor"}
_SUMS = ", ".join(
    f"sum({_DERIVED.get(name, name)})::bigint AS {name}" for name in COMPARED_SUMS[1:]
)
# The newest close of a day counts: entry ids are ordered by time.
_CLOSE = f"""
    WITH days AS (
        SELECT store_id, business_date FROM sale WHERE business_date BETWEEN :from AND :to {{of}}
        UNION SELECT store_id, business_date FROM day_close
        WHERE business_date BETWEEN :from AND :to {{of}}
    ), ranked AS (
        SELECT days.*, row_number() OVER (PARTITION BY store_id ORDER BY business_date DESC) AS age
        FROM days
    )
    SELECT d.store_id, d.business_date, store.currency, coalesce(receipts, 0) AS receipts,
        {", ".join(f"coalesce({name}, 0) AS {name}" for name in COMPARED_SUMS[1:])}, close.z,
        proof.state AS certificate, proof.flaw AS certificate_flaw,
        proof.beside AS certificate_beside, proof.digest AS certificate_digest
    FROM ranked d
    JOIN store ON store.store_id = d.store_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS receipts, {_SUMS} FROM sale
        WHERE sale.store_id = {{store}} AND sale.business_date = d.business_date) sums
    LEFT JOIN LATERAL (
        SELECT z FROM day_close
        WHERE day_close.store_id = {{store}} AND day_close.business_date = d.business_date
        ORDER BY entry_id DESC LIMIT 1) close ON true
    LEFT JOIN LATERAL (
        SELECT made.state, made.flaw, made.beside,
            sha256(convert_to(document, 'UTF8')) AS digest
        FROM day_certificate JOIN day_certificate_check made USING (entry_id, store_id)
        WHERE store_id = {{store}} AND day_certificate.business_date = d.business_date
        ORDER BY entry_id DESC LIMIT 1) proof ON true
    WHERE :days = 0 OR d.age <= :days
    ORDER BY d.business_date DESC, d.store_id"""  # noqa: S608 - fixed column names only
DAILY_CLOSE = text(_CLOSE.format(of="", store="d.store_id"))
DAILY_CLOSE_OF_STORE = text(_CLOSE.format(of="AND store_id = :store", store=":store"))
"""The same of one store, named throughout: it reads one partition of each table."""
_STORES = text("""
    SELECT store.store_id, store.name, store.currency, day.business_date,
        coalesce(sums.net_minor, 0) AS today_net_minor,
        coalesce(sums.receipts, 0) AS today_receipts, sums.last_sale_at_ms
    FROM store
    CROSS JOIN LATERAL (
        SELECT max(business_date) AS business_date FROM sale
        WHERE sale.store_id = store.store_id) day
    CROSS JOIN LATERAL (
        SELECT count(*) AS receipts, sum(net_minor)::bigint AS net_minor,
            max(at_ms) AS last_sale_at_ms
        FROM sale WHERE sale.store_id = store.store_id
            AND sale.business_date = day.business_date) sums
    ORDER BY store.store_id""")
_RECENT = text("""
    SELECT store_id, business_date, receipt_no, at_ms, net_minor, lines FROM sale
    ORDER BY at_ms DESC LIMIT :limit""")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CloseFilter:
    """Which days: both ends included; without either, the newest days of each store."""

    from_on: date | None = None
    to_on: date | None = None
    store_id: str = ""


def daily_close(connection: Connection, wanted: CloseFilter) -> list[Row]:
    """Head office's own sums of each store and day, and whether the box's Z report agrees.

    `box_matches` is None until the box has closed the day; `certificate` (waiting, agrees or
    differs) and its short code until a box that certifies has.
    """
    is_bounded = wanted.from_on is not None or wanted.to_on is not None
    asked: dict[str, Any] = {
        "from": wanted.from_on or date.min,
        "to": wanted.to_on or date.max,
        "days": 0 if is_bounded else DAYS_SHOWN,
    }
    if wanted.store_id:
        found = connection.execute(DAILY_CLOSE_OF_STORE, {**asked, "store": wanted.store_id})
    else:
        found = connection.execute(DAILY_CLOSE, asked)
    return [_close_row(dict(row)) for row in found.mappings()]


def totals(rows: Iterable[Mapping[str, Any]], sums: Iterable[str]) -> list[Row]:
    """Sums over rows, one per currency: amounts of two currencies are never added."""
    found: dict[str, Row] = {}
    names = tuple(sums)
    for row in rows:
        total = found.setdefault(
            row["currency"], {"currency": row["currency"], **dict.fromkeys(names, 0)}
        )
        for name in names:
            total[name] += row[name]
    return [found[currency] for currency in sorted(found)]


def live_stores(connection: Connection) -> list[Row]:
    """Each store's newest business date: what it sold so far."""
    return [dict(row) for row in connection.execute(_STORES).mappings()]


def recent_sales(connection: Connection) -> list[Row]:
    """The newest sales of all stores, newest first."""
    return [dict(row) for row in connection.execute(_RECENT, {"limit": RECENT_SALES}).mappings()]


def _close_row(made: Row) -> Row:
    z, digest = made.pop("z"), made.pop("certificate_digest")
    made["certificate_code"] = None if digest is None else short_code(bytes(digest))
    agrees = isinstance(z, dict) and all(z.get(name, 0) == made[name] for name in COMPARED_SUMS)
    made["box_matches"] = None if z is None else agrees
    return made
