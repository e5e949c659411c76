"""The books in PostgreSQL; every row is keyed by the entry that caused it, and its store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from cloud.db import driver

COPY_SALES = """
COPY sale (entry_id, store_id, business_date, receipt_no, lane, at_ms, lines, units, gross_minor,
    member_disc_minor, offer_disc_minor, store_coupon_minor, net_minor, mfr_coupon_minor,
    tender_minor, cash_minor, card_minor, catalog_rev) FROM STDIN"""
COPY_POSTINGS = """
COPY posting (entry_id, n, store_id, business_date, account, amount_minor) FROM STDIN"""
COPY_DAY_CLOSES = "COPY day_close (entry_id, store_id, business_date, z) FROM STDIN"
_THESE = "store_id = %(store)s AND entry_id = ANY(%(ids)s::uuid[])"
POSTED = f"""
SELECT entry_id::text FROM sale WHERE {_THESE}
UNION ALL SELECT entry_id::text FROM day_close WHERE {_THESE}"""  # noqa: S608 - fixed text
BOOKED = f"""
SELECT entry_id::text, business_date::text, receipt_no, net_minor FROM sale WHERE {_THESE}
UNION ALL SELECT entry_id::text, business_date::text, '', 0 FROM day_close
WHERE {_THESE}"""  # noqa: S608 - fixed text

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": None})


def copied(text: str) -> str:
    """Text as a field of COPY's text format."""
    return text.translate(_ESCAPES)


def copy_lines(connection: Connection, statement: str, lines: Sequence[str]) -> None:
    """COPY lines in text format, each with its newline; no lines cost nothing."""
    if not lines:
        return
    with driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("".join(lines))


class Booked(NamedTuple):
    """What tells one booked fact of a store from another.

    A day close by its date, a sale by its receipt number and net too.
    """

    business_date: str
    receipt_no: str
    net_minor: int


def booked(connection: Connection, store_id: str, ids: Sequence[str]) -> dict[str, Booked]:
    """What stands in a store's books under these entry ids."""
    rows = driver(connection).execute(BOOKED, {"store": store_id, "ids": list(ids)})
    return {row[0]: Booked(*row[1:]) for row in rows}


def posted_ids(connection: Connection, store_id: str, ids: Sequence[str]) -> set[str]:
    """Which of a store's entries have a sale or a day close already."""
    rows = driver(connection).execute(POSTED, {"store": store_id, "ids": list(ids)})
    return {row[0] for row in rows}
