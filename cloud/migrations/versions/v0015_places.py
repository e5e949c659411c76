"""Price zones, store groups, prices by level, categories and dated masters with their history."""

from alembic import op
from sqlalchemy import inspect

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    "CREATE TABLE price_zone (zone_id text PRIMARY KEY, name text NOT NULL)",
    # A store without a zone has the chain's prices and its own.
    """
    ALTER TABLE store
        ADD COLUMN zone_id text REFERENCES price_zone,
        ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}'""",
    "CREATE INDEX store_zone ON store (zone_id)",
    # Of two groups that set up the same thing for a store the higher rank counts.
    """
    CREATE TABLE store_group (
        group_id text PRIMARY KEY, name text NOT NULL, rank integer NOT NULL DEFAULT 0)""",
    """
    CREATE TABLE store_group_member (
        group_id text NOT NULL REFERENCES store_group ON DELETE CASCADE,
        store_id text NOT NULL REFERENCES store, PRIMARY KEY (group_id, store_id))""",
    "CREATE INDEX store_group_member_store ON store_group_member (store_id)",
    # Names by language; `category_id` is the word that items bear.
    """
    CREATE TABLE category (
        category_id text PRIMARY KEY, parent_id text REFERENCES category,
        names jsonb NOT NULL)""",
    # Append-only: of two rows of one instant the later id counts. `scope` is "" (the chain),
    # `zone:<id>`, `group:<id>` or `store-<id>`; `from_local` "" means always, else a time on each
    # store's own clock; `value` null ends what the level said before.
    """
    CREATE TABLE config_row (
        id bigserial PRIMARY KEY, scope text NOT NULL, name text NOT NULL,
        from_local text NOT NULL, value jsonb,
        created_by text NOT NULL, created_at_ms bigint NOT NULL, reason text NOT NULL)""",
    "CREATE INDEX config_row_of ON config_row (scope, name, from_local, id)",
    # What waits for a publication; a row written again makes one at the same time notice.
    """
    CREATE TABLE config_draft (
        scope text NOT NULL, name text NOT NULL, PRIMARY KEY (scope, name))""",
    # Who changed a zone, a group, a store's place, a category or an operator, when and why.
    """
    CREATE TABLE master_event (
        id bigserial PRIMARY KEY, at_ms bigint NOT NULL, by text NOT NULL, reason text NOT NULL,
        kind text NOT NULL, subject text NOT NULL, before jsonb, after jsonb)""",
    "CREATE INDEX master_event_of ON master_event (kind, subject, id)",
    # `scope` is "" (the chain), `zone:<id>` or `store-<id>`, where `store_id` says the same.
    # `from_local` is a time on each store's own clock, and then `from_at_ms` is that time read as
    # UTC, to order by. A price ends at `to`; null for `regular_minor` says nothing from there on.
    """
    ALTER TABLE item_price
        ADD COLUMN scope text,
        ADD COLUMN from_local text,
        ADD COLUMN to_at_ms bigint,
        ADD COLUMN to_local text,
        ALTER COLUMN regular_minor DROP NOT NULL""",
    "UPDATE item_price SET scope = 'store-' || store_id",
    "ALTER TABLE item_price ALTER COLUMN scope SET NOT NULL",
    "CREATE INDEX item_price_scope ON item_price (scope, gtin, from_at_ms, id)",
    # An item's price in a store at an instant ("" for `in_store`: in the first place that has
    # one), local times read as UTC.
    """
    CREATE FUNCTION price_in_force(of_gtin text, in_store text, at_instant_ms bigint)
    RETURNS TABLE (scope text, from_at_ms bigint, regular_minor integer, member_minor integer)
    LANGUAGE sql STABLE AS $$
        SELECT said.scope, said.from_at_ms, said.regular_minor, said.member_minor
        FROM (
            (SELECT DISTINCT ON (price.scope) price.scope, price.from_at_ms,
                    price.regular_minor, price.member_minor
             FROM item_price price
             WHERE in_store <> '' AND price.gtin = of_gtin AND price.scope = ANY (ARRAY[
                    '', 'store-' || in_store, (SELECT 'zone:' || store.zone_id FROM store
                                               WHERE store.store_id = in_store)])
               AND price.from_at_ms <= at_instant_ms
               AND (price.to_at_ms IS NULL OR price.to_at_ms > at_instant_ms)
             ORDER BY price.scope, price.from_at_ms DESC, price.id DESC)
            UNION ALL
            (SELECT DISTINCT ON (price.scope) price.scope, price.from_at_ms,
                    price.regular_minor, price.member_minor
             FROM item_price price
             WHERE in_store = '' AND price.gtin = of_gtin
               AND price.from_at_ms <= at_instant_ms
               AND (price.to_at_ms IS NULL OR price.to_at_ms > at_instant_ms)
             ORDER BY price.scope, price.from_at_ms DESC, price.id DESC)) said
        WHERE said.regular_minor IS NOT NULL
        ORDER BY said.scope LIKE 'store-%' DESC, said.scope <> '' DESC, said.scope
        LIMIT 1
    $$""",
    "ALTER TABLE price_draft ADD COLUMN scope text",
    "UPDATE price_draft SET scope = 'store-' || store_id",
    "ALTER TABLE price_draft ALTER COLUMN scope SET NOT NULL",
    # Dates at the store, both inclusive; null is open.
    "ALTER TABLE staff ADD COLUMN valid_from date, ADD COLUMN valid_to date",
)
TABLES = {
    "price_zone", "store_group", "store_group_member", "category", "config_row", "config_draft",
    "master_event",
}  # fmt: skip
COLUMNS = {
    "store": {"zone_id", "attributes"},
    "item_price": {"scope", "from_local", "to_at_ms", "to_local"},
    "price_draft": {"scope"},
    "staff": {"valid_from", "valid_to"},
}


def upgrade() -> None:
    """Add tables and columns, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    found = inspect(op.get_bind())
    missing = TABLES - set(found.get_table_names())
    for table, columns in COLUMNS.items():
        missing |= columns - {str(column["name"]) for column in found.get_columns(table)}
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
