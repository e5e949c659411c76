"""A claim remembers which requests it has answered, so that a copy of one is worth nothing."""

from alembic import op
from sqlalchemy import inspect

revision = "0027"
down_revision = "0026"

STATEMENTS = ("ALTER TABLE claim ADD COLUMN nonces bytea[] NOT NULL DEFAULT '{}'",)


def upgrade() -> None:
    """Add the column, then check."""
    for statement in STATEMENTS:
        op.execute(statement)
    found = {str(column["name"]) for column in inspect(op.get_bind()).get_columns("claim")}
    if "nonces" not in found:
        raise RuntimeError("the step left out claim.nonces")
