"""SQL of what waits for a release and of what was published. Reads the masters' drafts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

PUBLICATIONS_MAX = 200

_COUNTS = text("""
    SELECT (SELECT count(*) FROM item_draft) AS items,
           (SELECT count(*) FROM price_draft) AS prices,
           (SELECT count(*) FROM offer_draft) AS offers,
           (SELECT count(*) FROM staff_draft) AS staff,
           (SELECT count(*) FROM config_draft) AS config""")
# An offer that changed concerns the stores of its new version and of the one that they have.
_DRAFT_STORES = text("""
    WITH touched AS (
        SELECT stores FROM offer_version made JOIN offer_draft USING (offer_id)
        WHERE version >= (
            SELECT coalesce(max(version), 0) FROM offer_publication sent
            WHERE sent.offer_id = made.offer_id)),
    scoped AS (SELECT DISTINCT scope FROM price_draft UNION SELECT scope FROM config_draft)
    SELECT unnest(stores) FROM touched
    UNION SELECT unnest(store_ids) FROM staff JOIN staff_draft USING (operator_id)
    UNION SELECT store.store_id FROM store LEFT JOIN lineage USING (store_id)
        WHERE EXISTS (SELECT FROM item_draft)
           OR EXISTS (SELECT FROM touched WHERE stores IS NULL)
           OR EXISTS (SELECT FROM scoped WHERE scope IN (
                '', 'store-' || store.store_id, 'zone:' || store.zone_id))
           OR lineage.scopes IS DISTINCT FROM array_remove(
                ARRAY['', 'zone:' || store.zone_id, 'store-' || store.store_id], NULL)
    ORDER BY 1""")


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication: who made it, when, and why."""

    rev: int
    at_ms: int
    by: str
    note: str


def publications(connection: Connection) -> list[Publication]:
    """The newest publications; what only welcomed a store was nobody's."""
    statement = text("""
        SELECT rev, at_ms, by, note FROM publication
        WHERE by <> '' ORDER BY rev DESC LIMIT :most""")
    return [Publication(*row) for row in connection.execute(statement, {"most": PUBLICATIONS_MAX})]


def draft_counts(connection: Connection) -> dict[str, int]:
    """How many items, prices, offers, operators and settings wait for a release."""
    return {
        str(name): int(found)
        for name, found in connection.execute(_COUNTS).mappings().one().items()
    }


def draft_stores(connection: Connection) -> list[str]:
    """The stores that a release of all drafts would reach."""
    return [str(store_id) for (store_id,) in connection.execute(_DRAFT_STORES)]
