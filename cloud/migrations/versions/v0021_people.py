"""People of head office: roles as data, second factors, sessions that end, the audit log."""

from alembic import op
from sqlalchemy import inspect

revision = "0021"
down_revision = "0020"

STATEMENTS = (
    # `state` is active, invited (no password yet) or disabled; a machine has no password at all.
    """
    ALTER TABLE app_user
        ADD COLUMN mail text NOT NULL DEFAULT '',
        ADD COLUMN state text NOT NULL DEFAULT 'active'
            CHECK (state IN ('active', 'invited', 'disabled')),
        ADD COLUMN is_machine boolean NOT NULL DEFAULT false,
        ADD COLUMN store_groups text[] NOT NULL DEFAULT '{}',
        ADD COLUMN totp_sealed bytea,
        ADD COLUMN totp_offered bytea,
        ADD COLUMN totp_step bigint NOT NULL DEFAULT 0,
        ADD COLUMN oidc_subject text UNIQUE,
        ALTER COLUMN password_hash DROP NOT NULL""",
    "CREATE UNIQUE INDEX app_user_mail ON app_user (lower(mail)) WHERE mail <> ''",
    # Whoever is signed in signs in again: what the new columns say is not known of old sessions.
    "DROP TABLE app_session",
    """
    CREATE TABLE app_session (
        token_hash bytea PRIMARY KEY,
        user_name text NOT NULL REFERENCES app_user ON DELETE CASCADE,
        opened_at_ms bigint NOT NULL, seen_at_ms bigint NOT NULL,
        confirmed_at_ms bigint NOT NULL, expires_at_ms bigint NOT NULL,
        how text NOT NULL CHECK (how IN ('password', 'totp', 'oidc', 'machine')),
        address text NOT NULL, agent text NOT NULL)""",
    "CREATE INDEX app_session_user ON app_session (user_name)",
    # Roles that were changed or made here; the built-in ones stand in the program until then.
    """
    CREATE TABLE app_role (
        role text PRIMARY KEY, label text NOT NULL, permissions text[] NOT NULL,
        is_scoped boolean NOT NULL, needs_totp boolean NOT NULL)""",
    """
    CREATE TABLE app_recovery_code (
        user_name text NOT NULL REFERENCES app_user ON DELETE CASCADE,
        code_hash bytea NOT NULL, PRIMARY KEY (user_name, code_hash))""",
    # Links sent by mail: each is good once.
    """
    CREATE TABLE app_ticket (
        token_hash bytea PRIMARY KEY,
        user_name text NOT NULL REFERENCES app_user ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('reset', 'invite')), expires_at_ms bigint NOT NULL)""",
    # Tries to sign in that failed or are under way, for all API processes together.
    """
    CREATE TABLE sign_in_try (
        id bigserial PRIMARY KEY, key text NOT NULL, at_ms bigint NOT NULL)""",
    "CREATE INDEX sign_in_try_key ON sign_in_try (key, at_ms)",
    "CREATE INDEX sign_in_try_at ON sign_in_try (at_ms)",
    """
    CREATE TABLE oidc_flow (
        state_hash bytea PRIMARY KEY, nonce text NOT NULL, verifier text NOT NULL,
        expires_at_ms bigint NOT NULL)""",
    """
    CREATE TABLE audit (
        seq bigint PRIMARY KEY, at_ms bigint NOT NULL, who text NOT NULL, what text NOT NULL,
        permission text NOT NULL, object text NOT NULL, address text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
        facts text NOT NULL, hash bytea NOT NULL)""",
    "CREATE INDEX audit_who ON audit (who, seq)",
    "CREATE INDEX audit_at ON audit (at_ms)",
    """
    CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log only grows';
    END $$""",
    """
    CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()""",
)
TABLES = {
    "app_session", "app_role", "app_recovery_code", "app_ticket", "sign_in_try", "oidc_flow",
    "audit",
}  # fmt: skip
COLUMNS = {
    "app_user": {"mail", "state", "is_machine", "store_groups", "totp_sealed", "oidc_subject"},
    "app_session": {"seen_at_ms", "confirmed_at_ms", "how"},
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
