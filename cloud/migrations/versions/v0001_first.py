"""The first tables: masters, publications, fleet, journal, ledger.

Instants are UTC milliseconds, money is integer minor units, GTINs are canonical text.
"""

from alembic import op
from sqlalchemy import inspect, text

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE store (
        store_id text PRIMARY KEY, name text NOT NULL,
        time_zone text NOT NULL, currency text NOT NULL)""",
    # `search_text` makes one index serve name, brand, category, code and PLU.
    """
    CREATE TABLE item (
        gtin text PRIMARY KEY, name text NOT NULL, department text NOT NULL,
        category text NOT NULL, brand text NOT NULL, package_size text NOT NULL,
        is_weighed boolean NOT NULL, plu text,
        search_text text GENERATED ALWAYS AS (lower(
            name || ' ' || brand || ' ' || category || ' ' || gtin || ' ' || coalesce(plu, '')
        )) STORED,
        CONSTRAINT item_plu_once UNIQUE (plu) DEFERRABLE INITIALLY DEFERRED)""",
    "CREATE INDEX item_name ON item (name, gtin)",
    "CREATE INDEX item_department ON item (department, name, gtin)",
    # What waits for a publication stands in tables of its own: marking half a million rows as
    # published would write each of them, and their index entries, anew.
    "CREATE TABLE item_draft (gtin text PRIMARY KEY)",
    # Append-only: a correction is a later row with the same `from_at_ms`; the highest id wins.
    # No foreign keys: the import checks whole tables at once, and nobody deletes items or stores.
    """
    CREATE TABLE item_price (
        id bigserial PRIMARY KEY,
        store_id text NOT NULL, gtin text NOT NULL, from_at_ms bigint NOT NULL,
        regular_minor integer NOT NULL CHECK (regular_minor BETWEEN 1 AND 99999999),
        member_minor integer CHECK (member_minor BETWEEN 0 AND regular_minor),
        created_by text NOT NULL, created_at_ms bigint NOT NULL, reason text NOT NULL)""",
    "CREATE INDEX item_price_at ON item_price (store_id, gtin, from_at_ms, id)",
    "CREATE INDEX item_price_of ON item_price (gtin, id)",
    """
    CREATE TABLE price_draft (
        price_id bigint PRIMARY KEY, store_id text NOT NULL, gtin text NOT NULL)""",
    "CREATE INDEX price_draft_item ON price_draft (gtin)",
    "CREATE TABLE price_publication (price_id bigint PRIMARY KEY, rev integer NOT NULL)",
    """
    CREATE TABLE staff (
        operator_id text PRIMARY KEY, name text NOT NULL, role text NOT NULL,
        pin_hash text NOT NULL, store_ids text[] NOT NULL)""",
    "CREATE TABLE staff_draft (operator_id text PRIMARY KEY)",
    """
    CREATE TABLE app_user (
        name text PRIMARY KEY, display_name text NOT NULL, role text NOT NULL,
        password_hash text NOT NULL)""",
    """
    CREATE TABLE app_session (
        token_hash bytea PRIMARY KEY,
        user_name text NOT NULL REFERENCES app_user ON DELETE CASCADE,
        expires_at_ms bigint NOT NULL)""",
    """
    CREATE TABLE claim (
        token_hash bytea PRIMARY KEY, store_id text NOT NULL REFERENCES store,
        expires_at_ms bigint NOT NULL, used_by_pub bytea, dev text, answer jsonb)""",
    """
    CREATE TABLE device (
        dev text PRIMARY KEY, store_id text NOT NULL REFERENCES store,
        secret_hash bytea NOT NULL, journal_pub bytea NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'retiring', 'revoked')),
        hw_fp text NOT NULL, created_at_ms bigint NOT NULL)""",
    "CREATE INDEX device_store ON device (store_id)",
    """
    CREATE TABLE publication (
        rev integer PRIMARY KEY, at_ms bigint NOT NULL, by text NOT NULL, note text NOT NULL)""",
    # `manifest` repeats the published object, so that the next one needs no fetch.
    """
    CREATE TABLE zone_revision (
        zone text NOT NULL, rev integer NOT NULL REFERENCES publication,
        manifest_sha text NOT NULL, sig text NOT NULL, digest text NOT NULL,
        records integer NOT NULL, manifest bytea NOT NULL, PRIMARY KEY (zone, rev))""",
    # What each scope ("" = the whole chain, or one zone) holds, so that a digest costs as much
    # as the change.
    """
    CREATE TABLE record_hash (
        scope text NOT NULL, kind text NOT NULL, key text NOT NULL, sha256 bytea NOT NULL,
        PRIMARY KEY (scope, kind, key))""",
    # `changed_rev` is the publication that last wrote `doc`: announcing costs what changed.
    """
    CREATE TABLE desired (
        dev text PRIMARY KEY REFERENCES device, gen bigint NOT NULL, doc jsonb NOT NULL,
        changed_rev integer NOT NULL)""",
    "CREATE INDEX desired_changed ON desired (changed_rev)",
    # `head_hash` is null while the stream is empty.
    """
    CREATE TABLE stream (
        stream_id bytea PRIMARY KEY, dev text NOT NULL REFERENCES device,
        store_id text NOT NULL REFERENCES store, ordinal integer NOT NULL,
        head_seq bigint NOT NULL DEFAULT -1, head_hash bytea,
        edge_head bigint NOT NULL DEFAULT -1,
        status text NOT NULL DEFAULT 'open'
            CHECK (status IN ('open', 'fork', 'closed', 'revoked')),
        rx_at_ms bigint, UNIQUE (store_id, ordinal))""",
    "CREATE INDEX stream_dev ON stream (dev)",
    # `flag`: why an entry was stored without its effects (a dotted code); a fact is never refused.
    """
    CREATE TABLE entry (
        stream_id bytea NOT NULL, seq bigint NOT NULL, id text NOT NULL, type text NOT NULL,
        at_ms bigint NOT NULL, store_id text NOT NULL, body bytea NOT NULL,
        hash bytea NOT NULL, flag text, PRIMARY KEY (stream_id, seq))""",
    "CREATE INDEX entry_flagged ON entry (store_id) WHERE flag IS NOT NULL",
    # What an entry causes is keyed by the entry's own id: a cloned card's tail may legally arrive
    # under two streams, and must count once.
    """
    CREATE TABLE sale (
        entry_id uuid PRIMARY KEY, store_id text NOT NULL, business_date date NOT NULL,
        receipt_no text NOT NULL, lane integer NOT NULL, at_ms bigint NOT NULL,
        lines integer NOT NULL, units bigint NOT NULL,
        gross_minor bigint NOT NULL, member_disc_minor bigint NOT NULL,
        store_coupon_minor bigint NOT NULL, net_minor bigint NOT NULL,
        mfr_coupon_minor bigint NOT NULL, tender_minor bigint NOT NULL,
        cash_minor bigint NOT NULL, card_minor bigint NOT NULL,
        catalog_rev integer NOT NULL)""",
    "CREATE INDEX sale_day ON sale (store_id, business_date)",
    "CREATE INDEX sale_newest ON sale (at_ms)",
    # Double entry: debits are positive, and the rows of one entry add up to nought.
    """
    CREATE TABLE posting (
        entry_id uuid NOT NULL, n smallint NOT NULL, store_id text NOT NULL,
        business_date date NOT NULL, account text NOT NULL, amount_minor bigint NOT NULL,
        PRIMARY KEY (entry_id, n))""",
    """
    CREATE TABLE day_close (
        entry_id uuid PRIMARY KEY, store_id text NOT NULL, business_date date NOT NULL,
        z jsonb NOT NULL)""",
    "CREATE INDEX day_close_day ON day_close (store_id, business_date)",
    # Facts of this installation, such as the secret name of the workers' shared subscription.
    "CREATE TABLE deployment (key text PRIMARY KEY, value text NOT NULL)",
    """
    CREATE TABLE box_state (
        dev text PRIMARY KEY, store_id text NOT NULL,
        online boolean NOT NULL DEFAULT false, conn bigint NOT NULL DEFAULT -1,
        boot bigint NOT NULL DEFAULT -1, last_contact_at_ms bigint,
        unsynced bigint NOT NULL DEFAULT 0, edge_head bigint NOT NULL DEFAULT -1, sw text,
        stored_rev bigint, active_rev bigint, shown_rev bigint,
        stored_at_ms bigint, active_at_ms bigint, shown_at_ms bigint, error text)""",
)
EXPECTED = {
    "store", "item", "item_draft", "item_price", "price_draft", "price_publication",
    "staff", "staff_draft", "app_user", "app_session", "claim", "device",
    "publication", "zone_revision", "record_hash", "desired", "stream", "entry",
    "sale", "posting", "day_close", "deployment", "box_state",
}  # fmt: skip


def upgrade() -> None:
    """Create every table, then check."""
    for statement in TABLES:
        op.execute(statement)
    _add_search_index()
    _check()


def _add_search_index() -> None:
    """Search works without pg_trgm, only slower: some servers ship no contrib modules."""
    available = text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
    if op.get_bind().execute(available).scalar_one():
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute("CREATE INDEX item_search ON item USING gin (search_text gin_trgm_ops)")


def _check() -> None:
    missing = EXPECTED - set(inspect(op.get_bind()).get_table_names())
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
