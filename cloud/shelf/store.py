"""SQL of shelves and cold places: the journals' few entries about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

# Word for word the index's own condition: only then is it used.
_FACTS = """
    SELECT at_ms, store_id, type, body FROM entry
    WHERE at_ms < :before_ms AND type IN
        ('stock.counted', 'shelf.differed', 'shelf.settled',
        'cold_chain.broken', 'cold_chain.restored')"""
_NEWEST = "ORDER BY at_ms DESC, seq DESC LIMIT :most"
FACTS = text(f"{_FACTS} {_NEWEST}")
FACTS_OF_STORE = text(f"{_FACTS} AND store_id = :store_id {_NEWEST}")
_NAMES = text("SELECT gtin, name FROM item WHERE gtin = ANY(:gtins)")


def facts(
    connection: Connection, store_id: str, before_ms: int, most: int
) -> list[tuple[int, str, str, bytes]]:
    """Time (UTC ms), store, type and body before an instant, newest first; "" for all stores."""
    wanted: dict[str, Any] = {"before_ms": before_ms, "most": most}
    if store_id:
        rows = connection.execute(FACTS_OF_STORE, {**wanted, "store_id": store_id})
    else:
        rows = connection.execute(FACTS, wanted)
    return [(row.at_ms, row.store_id, row.type, bytes(row.body)) for row in rows]


def names(connection: Connection, gtins: Iterable[str]) -> dict[str, str]:
    """Names of items by GTIN, of those that there are."""
    rows = connection.execute(_NAMES, {"gtins": sorted(set(gtins))})
    return {row[0]: str(row[1]) for row in rows}
