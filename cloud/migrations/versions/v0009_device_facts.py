"""What the stores' devices had is found without reading a store's whole journal."""

from alembic import op
from sqlalchemy import inspect

revision = "0009"
down_revision = "0008"

INDEX = "entry_device"


def upgrade() -> None:
    """Index the few entries about devices."""
    op.execute(
        f"CREATE INDEX {INDEX} ON entry (store_id, at_ms DESC) WHERE type IN"
        " ('device.faulted', 'device.recovered', 'device.bound', 'devices.tested')"
    )
    indexes = inspect(op.get_bind()).get_indexes("entry")
    if INDEX not in {str(each["name"]) for each in indexes}:
        raise RuntimeError(f"the step left out {INDEX}")
