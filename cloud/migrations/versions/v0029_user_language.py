"""The language in which a person of head office is written to."""

from alembic import op
from sqlalchemy import inspect

revision = "0029"
down_revision = "0028"

STATEMENT = """
    ALTER TABLE app_user ADD COLUMN language text NOT NULL DEFAULT 'zh-CN'
        CHECK (language IN ('zh-CN', 'zh-TW', 'en'))"""


def upgrade() -> None:
    """Add the column, then check."""
    op.execute(STATEMENT)
    found = {str(column["name"]) for column in inspect(op.get_bind()).get_columns("app_user")}
    if "language" not in found:
        raise RuntimeError("the step left out app_user.language")
