"""The register of members: personal data sealed, looked up by slow keyed hashes."""

from alembic import op
from sqlalchemy import inspect

revision = "0028"
down_revision = "0027"

# Whoever is erased keeps their id and nothing else.  `phone_slow` is what stands for the phone
# number (shared/member/pseudonym.py), `sealed` holds whatever names a person, `key_id` under which.
STATEMENTS = (
    """
    CREATE TABLE member (
        member_id text PRIMARY KEY, state text NOT NULL CHECK (state IN ('active', 'erased')),
        phone_slow bytea UNIQUE, last_digits text NOT NULL DEFAULT '', sealed bytea, key_id text,
        joined_at_ms bigint NOT NULL, joined_store text NOT NULL, joined_by text NOT NULL,
        erased_at_ms bigint,
        CHECK (state = 'active' OR (
            phone_slow IS NULL AND sealed IS NULL AND key_id IS NULL AND last_digits = '')))""",
    "CREATE INDEX member_joined ON member (joined_at_ms DESC)",
    """
    CREATE TABLE member_card (
        card_ref text PRIMARY KEY, member_id text NOT NULL REFERENCES member)""",
    "CREATE INDEX member_card_member ON member_card (member_id)",
    """
    CREATE TABLE member_consent (
        id bigserial PRIMARY KEY, member_id text NOT NULL REFERENCES member,
        purpose text NOT NULL, is_given boolean NOT NULL, at_ms bigint NOT NULL,
        by text NOT NULL, text_version text NOT NULL)""",
    "CREATE INDEX member_consent_member ON member_consent (member_id, id)",
    # Somebody who joined twice: sales name the other id as well.
    """
    CREATE TABLE member_alias (
        alias text PRIMARY KEY, member_id text NOT NULL REFERENCES member)""",
    "CREATE INDEX member_alias_member ON member_alias (member_id)",
    # Which stores' boxes know a member, in the order in which that changed: what a transaction
    # wrote that is still open has a number that is not below those that a box is told.
    """
    CREATE TABLE member_store (
        store_id text NOT NULL, member_id text NOT NULL REFERENCES member,
        last_at_ms bigint NOT NULL, change_xid bigint NOT NULL,
        PRIMARY KEY (store_id, member_id))""",
    "CREATE INDEX member_store_change ON member_store (store_id, change_xid, member_id)",
    "CREATE INDEX member_store_member ON member_store (member_id)",
    # Sales by what names a member in them: an id, or what stands for a card.
    """
    CREATE TABLE member_sale (
        store_id text NOT NULL, entry_id uuid NOT NULL, ref text NOT NULL, at_ms bigint NOT NULL,
        PRIMARY KEY (store_id, entry_id))""",
    "CREATE INDEX member_sale_ref ON member_sale (ref)",
)
TABLES = {
    "member", "member_card", "member_consent", "member_alias", "member_store", "member_sale",
}  # fmt: skip


def upgrade() -> None:
    """Add the tables, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    missing = TABLES - set(inspect(op.get_bind()).get_table_names())
    if missing:
        raise RuntimeError(f"the step left out {', '.join(sorted(missing))}")
