"""Which certificates boxes have had, and which of them count no more."""

from alembic import op
from sqlalchemy import inspect

revision = "0020"
down_revision = "0019"

# `serial` in hex; `key_hash` is the SHA-256 of the public key, so that a repeated request gets the
# certificate that it has got already. `revoked_at_ms` null: it counts until its end.
STATEMENTS = (
    """
    CREATE TABLE device_certificate (
        serial text PRIMARY KEY, dev text NOT NULL REFERENCES device, key_hash bytea NOT NULL,
        pem text NOT NULL, cause text NOT NULL, issued_at_ms bigint NOT NULL,
        not_after_ms bigint NOT NULL, revoked_at_ms bigint, UNIQUE (dev, key_hash))""",
    "CREATE INDEX device_certificate_dev ON device_certificate (dev, issued_at_ms DESC)",
    """
    CREATE INDEX device_certificate_revoked ON device_certificate (not_after_ms)
    WHERE revoked_at_ms IS NOT NULL""",
)


def upgrade() -> None:
    """Make the table, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    if "device_certificate" not in inspect(op.get_bind()).get_table_names():
        raise RuntimeError("the step left out device_certificate")
