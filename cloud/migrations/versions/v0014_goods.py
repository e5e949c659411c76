"""Items say more, every change of one is remembered, and tables are taken over in two steps."""

from alembic import op
from sqlalchemy import inspect

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    # `codes` holds further barcodes as the table's cells write them: "code*units*unit of measure".
    # `image` is "sha256:<hex>" or an https address.
    """
    ALTER TABLE item
        ADD COLUMN codes text[] NOT NULL DEFAULT '{}',
        ADD COLUMN age_limit integer NOT NULL DEFAULT 0 CHECK (age_limit BETWEEN 0 AND 99),
        ADD COLUMN shelf_life_days integer NOT NULL DEFAULT 0
            CHECK (shelf_life_days BETWEEN 0 AND 9999),
        ADD COLUMN tax_class text NOT NULL DEFAULT '',
        ADD COLUMN image text NOT NULL DEFAULT ''""",
    # A code belongs to one item; deferrable, since codes may move within one table.
    """
    CREATE TABLE item_code (
        code text NOT NULL, gtin text NOT NULL,
        CONSTRAINT item_code_once PRIMARY KEY (code) DEFERRABLE INITIALLY DEFERRED)""",
    "CREATE INDEX item_code_gtin ON item_code (gtin)",
    # What an item is called or taxed from a later instant on: `from_local` is the wall clock of
    # each store, "2026-12-01T00:00". Null means that it stays as it is.
    """
    CREATE TABLE item_dated (
        gtin text NOT NULL, from_local text NOT NULL, name text, tax_class text,
        tax_bp integer CHECK (tax_bp BETWEEN 0 AND 10000),
        PRIMARY KEY (gtin, from_local))""",
    # Append-only. `changes`: {field: [old, new]}; empty for an item that was new.
    """
    CREATE TABLE item_history (
        id bigserial PRIMARY KEY, gtin text NOT NULL, is_new boolean NOT NULL,
        changes jsonb NOT NULL, from_local text NOT NULL DEFAULT '',
        changed_by text NOT NULL, changed_at_ms bigint NOT NULL, reason text NOT NULL)""",
    "CREATE INDEX item_history_of ON item_history (gtin, id)",
    # `digest` is that of the differences that were shown: what is applied is what was shown.
    """
    CREATE TABLE import_job (
        id bigserial PRIMARY KEY, kind text NOT NULL, name text NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'refused', 'applied', 'discarded')),
        rows integer NOT NULL, created integer NOT NULL, changed integer NOT NULL,
        unchanged integer NOT NULL, errors jsonb NOT NULL, error_count integer NOT NULL,
        digest text NOT NULL, reason text NOT NULL, created_by text NOT NULL,
        created_at_ms bigint NOT NULL, decided_by text, decided_at_ms bigint)""",
    "CREATE TABLE import_file (job_id bigint PRIMARY KEY, content bytea NOT NULL)",
    # `cells`: {column: [old, new]}, old is null for a row that is new.
    """
    CREATE TABLE import_row (
        job_id bigint NOT NULL, line integer NOT NULL, is_new boolean NOT NULL,
        key text NOT NULL, title text NOT NULL, cells jsonb NOT NULL,
        PRIMARY KEY (job_id, line))""",
)
TABLES = {"item_code", "item_dated", "item_history", "import_job", "import_file", "import_row"}
COLUMNS = {"codes", "age_limit", "shelf_life_days", "tax_class", "image"}


def upgrade() -> None:
    """Add columns and tables, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    found = inspect(op.get_bind())
    missing = TABLES - set(found.get_table_names())
    missing |= COLUMNS - {str(column["name"]) for column in found.get_columns("item")}
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
