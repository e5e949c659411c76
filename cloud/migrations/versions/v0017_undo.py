"""What takes a finished release back touches only what still is as that release left it."""

from alembic import op
from sqlalchemy import inspect

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Remember which flight takes which release back."""
    op.execute("ALTER TABLE release_flight ADD COLUMN undoes bigint")
    # Those on their way were begun by people, whose rows say it.
    op.execute("""
        UPDATE release_flight SET undoes = release.undoes FROM release
        WHERE release.release_id = release_flight.release_id""")
    columns = {str(each["name"]) for each in inspect(op.get_bind()).get_columns("release_flight")}
    if "undoes" not in columns:
        raise RuntimeError("the step left out release_flight.undoes")
