"""SQL of what a release changes. Reads what the publication froze, and `item` and `store`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.db import driver
from cloud.release.moves import ItemFacts, PriceChange
from shared.publication.revision import Record, RecordKind, parse_record

ROWS_AT_ONCE = 2_000
# What the zone or the chain says counts where a narrower scope says nothing yet, or no more.
_WIDE = """
LEFT JOIN store ON change.scope = 'store-' || store.store_id
LEFT JOIN record zonal ON change.kind = 'price' AND zonal.kind = 'price'
    AND zonal.scope = 'zone:' || store.zone_id
    AND zonal.key = split_part(change.key, '/', 1) || '/z'
LEFT JOIN record chain ON change.kind = 'price' AND change.scope <> '' AND chain.kind = 'price'
    AND chain.scope = '' AND chain.key = split_part(change.key, '/', 1) || '/c'"""
_PRICES = f"""
SELECT change.scope, change.key, change.old_line, change.new_line, change.new_sha,
    item.name, item.cost_minor, item.tax_bp, coalesce(zonal.line, chain.line)
FROM release_change change {_WIDE}
LEFT JOIN item ON item.gtin = split_part(change.key, '/', 1)
WHERE change.release_id = %s AND change.kind = 'price'"""  # noqa: S608 - constants
_LINES = text(f"""
    SELECT count(*) FROM (
        SELECT DISTINCT change.kind, change.key FROM release_change change {_WIDE}
        WHERE change.release_id = :release_id AND (
            change.old_sha IS NOT NULL OR zonal.key IS NOT NULL OR chain.key IS NOT NULL))
        changed""")  # noqa: S608 - constants
# A staff record holds what a PIN is checked by: whom it is about is all that leaves the database.
_CHANGES = """
SELECT scope, kind, key, CASE WHEN kind <> 'staff' THEN old_line END,
    CASE WHEN kind <> 'staff' AND new_sha IS NOT NULL THEN new_line END
FROM release_change WHERE release_id = %s ORDER BY scope, kind, key"""
# The prices that count in one store, the most special scope last: a price of a wider scope means
# nothing where the store has one of its own.
_STORE_PRICES = text("""
    SELECT change.scope, change.key, change.old_line, change.new_line, change.new_sha
    FROM release_change change JOIN store ON store.store_id = :store_id
    WHERE change.release_id = :release_id AND change.kind = 'price'
        AND change.scope IN ('', 'zone:' || store.zone_id, 'store-' || store.store_id)
        AND NOT EXISTS (
            SELECT FROM record narrow
            WHERE narrow.kind = 'price' AND split_part(change.key, '/', 2) <> ''
                AND (narrow.scope = 'store-' || store.store_id
                        AND narrow.key = split_part(change.key, '/', 1)
                    OR change.scope = '' AND narrow.scope = 'zone:' || store.zone_id
                        AND narrow.key = split_part(change.key, '/', 1) || '/z'))
    ORDER BY change.scope = '' DESC, change.scope LIKE 'zone:%' DESC, change.key""")
# One store stands for all: an offer is the same wherever it holds.
_OFFER_LINES = text("""
    SELECT DISTINCT ON (key) scope, old_line, new_line FROM release_change
    WHERE release_id = :release_id AND kind = 'offer' AND new_sha IS NOT NULL
    ORDER BY key, length(scope), scope""")
_OFFERS = text("""
    SELECT key, old_line, new_line, new_sha FROM release_change
    WHERE release_id = :release_id AND kind = 'offer' AND scope = :scope""")
_OFFER_SCOPES = text("""
    SELECT DISTINCT scope FROM release_change
    WHERE release_id = :release_id AND kind = 'offer' ORDER BY scope""")
_BASE_OFFERS = text("""
    SELECT key, line FROM record WHERE kind = 'offer' AND scope = :scope AND line IS NOT NULL""")
_CURRENCIES = text("SELECT store_id, currency FROM store")


def price_changes(connection: Connection, release_id: int) -> Iterator[PriceChange]:
    """Every price record that changes, from a cursor of the server."""
    with driver(connection).cursor(name="release_prices") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for scope, key, old, new, new_sha, *item, wide in cursor.execute(_PRICES, (release_id,)):
            name, cost, tax_bp = item
            facts = ItemFacts(name or "", cost, tax_bp or 0)
            after = None if new_sha is None else _record(new)
            yield PriceChange(scope, key, _record(old), after, facts, wide=_record(wide))


def lines(connection: Connection, release_id: int) -> int:
    """How many records it replaces or removes, each counted once however many stores have it.

    A price that is new in its scope replaces the one of the zone or the chain, if there is one.
    """
    return int(connection.execute(_LINES, {"release_id": release_id}).scalar_one())


def change_rows(
    connection: Connection, release_id: int
) -> Iterator[tuple[str, str, str, str, str]]:
    """(scope, kind, key, old line, new line) of every change; "" for a line that is not there."""
    with driver(connection).cursor(name="release_changes") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for scope, kind, key, old, new in cursor.execute(_CHANGES, (release_id,)):
            yield scope, kind, key, _text(old), _text(new)


def offer_scopes(connection: Connection, release_id: int) -> list[str]:
    """The scopes in which offers change."""
    return [
        str(scope) for (scope,) in connection.execute(_OFFER_SCOPES, {"release_id": release_id})
    ]


def offers(
    connection: Connection, release_id: int, scope: str
) -> tuple[dict[str, Record], dict[str, Record]]:
    """A scope's offer records by id: those of all finished releases, and with this one's."""
    asked = {"release_id": release_id, "scope": scope}
    before = {
        str(key): parse_record(bytes(line)) for key, line in connection.execute(_BASE_OFFERS, asked)
    }
    after = dict(before)
    for key, old, new, sha in connection.execute(_OFFERS, asked):
        # The base may have it by now: what was there before is in the change itself.
        for side, line in ((before, old), (after, None if sha is None else new)):
            if line is None:
                side.pop(key, None)
            else:
                side[key] = parse_record(bytes(line))
    return before, after


def new_offers(
    connection: Connection, release_id: int
) -> list[tuple[str, Record | None, Record | None]]:
    """Each offer that begins or changes, once: a scope that has it, and it before and after."""
    found = connection.execute(_OFFER_LINES, {"release_id": release_id})
    return [(str(scope), _offer(old), _offer(new)) for scope, old, new in found]


def store_prices(connection: Connection, release_id: int, store_id: str) -> Iterator[PriceChange]:
    """The price records that change what a store sells for; the one that counts comes last."""
    asked = {"release_id": release_id, "store_id": store_id}
    for scope, key, old, new, new_sha in connection.execute(_STORE_PRICES, asked):
        yield PriceChange(scope, key, _record(old), None if new_sha is None else _record(new))


def currencies(connection: Connection) -> dict[str, str]:
    """The currency of each store."""
    return {str(store): str(code) for store, code in connection.execute(_CURRENCIES)}


def _offer(line: Any) -> Record | None:  # noqa: ANN401 - what the driver gives for bytea
    return None if line is None else parse_record(bytes(line))


def _record(line: Any) -> Record | None:  # noqa: ANN401 - what the driver gives for bytea
    if line is None:
        return None
    raw = orjson.loads(line)  # ours, and by the hundred thousand: nothing is checked
    is_price = raw["k"] == RecordKind.PRICE
    return Record(RecordKind.PRICE, raw["i"], raw["b"]) if is_price else None


def _text(line: Any) -> str:  # noqa: ANN401 - what the driver gives for bytea
    return "" if line is None else bytes(line).decode().strip()
