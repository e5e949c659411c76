"""The price table in two steps; see `cloud.table_import.TableImporter`."""

from __future__ import annotations

from typing import IO

from sqlalchemy import Connection, text

from cloud.csv_table import RowErrors
from cloud.price import service, store
from cloud.price.table import read_prices
from cloud.table_import import Author, begin_difference

# Beside what a row says stands what the same place charges at that time without it; a row is new
# where that is nothing.
_COMPARE = text("""
    INSERT INTO import_diff
    SELECT incoming.line, latest.id IS NULL AND before.regular_minor IS NULL,
        incoming.gtin, item.name,
        jsonb_build_object(
            'store_id', jsonb_build_array(NULL, CASE
                WHEN incoming.scope = '' THEN 'chain'
                WHEN incoming.scope LIKE 'store-%' THEN substr(incoming.scope, 7)
                ELSE incoming.scope END),
            'effective_at', jsonb_build_array(NULL, CASE
                WHEN incoming.from_local IS NULL THEN to_jsonb(incoming.from_at_ms)
                ELSE to_jsonb(incoming.from_local) END),
            'regular_price_cents', jsonb_build_array(before.regular_minor, incoming.regular_minor),
            'member_price_cents', jsonb_build_array(before.member_minor, incoming.member_minor))
        || CASE WHEN coalesce(latest.to_at_ms, incoming.to_at_ms) IS NULL THEN '{}'
           ELSE jsonb_build_object('until', jsonb_build_array(
               coalesce(to_jsonb(latest.to_local), to_jsonb(latest.to_at_ms)),
               coalesce(to_jsonb(incoming.to_local), to_jsonb(incoming.to_at_ms)))) END
    FROM incoming_price incoming JOIN item ON item.gtin = incoming.gtin
    LEFT JOIN LATERAL (
        SELECT id, regular_minor, member_minor, to_at_ms, to_local FROM item_price kept
        WHERE kept.scope = incoming.scope AND kept.gtin = incoming.gtin
          AND kept.from_at_ms = incoming.from_at_ms
          AND kept.from_local IS NOT DISTINCT FROM incoming.from_local
        ORDER BY id DESC LIMIT 1) latest ON true
    LEFT JOIN LATERAL (
        SELECT regular_minor, member_minor FROM item_price earlier
        WHERE earlier.scope = incoming.scope AND earlier.gtin = incoming.gtin
          AND earlier.from_at_ms <= incoming.from_at_ms
          AND (earlier.to_at_ms IS NULL OR earlier.to_at_ms > incoming.from_at_ms)
        ORDER BY from_at_ms DESC, id DESC LIMIT 1) before ON true
    WHERE latest.id IS NULL
       OR (latest.regular_minor, latest.member_minor, latest.to_at_ms, latest.to_local)
          IS DISTINCT FROM (incoming.regular_minor, incoming.member_minor, incoming.to_at_ms,
                            incoming.to_local)""")


class PriceImporter:
    """Takes over one table of prices."""

    def stage(self, connection: Connection, stream: IO[bytes], at_ms: int) -> int:
        """Check the table and tell what it would change; ImportRefusedError."""
        del at_ms
        errors = RowErrors()
        rows = read_prices(stream, service.places_of(connection), errors)
        store.stage(connection, rows)
        for line, gtin in store.unknown_items(connection):
            errors.add(line, "ean13", "item.unknown", gtin=gtin)
        errors.raise_if_any()
        begin_difference(connection)
        connection.execute(_COMPARE)
        return len(rows)

    def write(self, connection: Connection, author: Author) -> None:
        """Write what was staged and says something new."""
        store.append_staged(connection, author)
