"""What offers took off a sale, beside member prices and store coupons."""

from alembic import op
from sqlalchemy import inspect

revision = "0003"
down_revision = "0002"

ADD = "ALTER TABLE sale ADD COLUMN offer_disc_minor bigint NOT NULL DEFAULT 0"


def upgrade() -> None:
    """Add the column, then check; sales of before had no offers."""
    op.execute(ADD)
    columns = inspect(op.get_bind()).get_columns("sale")
    if "offer_disc_minor" not in {str(column["name"]) for column in columns}:
        raise RuntimeError("the step left out sale.offer_disc_minor")
