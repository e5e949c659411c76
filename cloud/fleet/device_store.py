"""SQL of what the stores' devices had: the journal's few entries about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

# Word for word the index's own condition: only then is it used.
FACTS = text("""
    SELECT at_ms, type, body FROM entry
    WHERE store_id = :store_id AND at_ms < :before_ms AND type IN
        ('device.faulted', 'device.recovered', 'device.bound', 'devices.tested')
    ORDER BY at_ms DESC, seq DESC LIMIT :most""")


def facts(
    connection: Connection, store_id: str, before_ms: int, most: int
) -> list[tuple[int, str, bytes]]:
    """Time (UTC ms), type and body of a store's device entries before an instant, newest first."""
    wanted: dict[str, Any] = {"store_id": store_id, "before_ms": before_ms, "most": most}
    return [(row.at_ms, row.type, bytes(row.body)) for row in connection.execute(FACTS, wanted)]
