"""What a store that never had a revision begins with, beside the base that all stores share."""

from __future__ import annotations

from sqlalchemy import Connection, text

from cloud.publication import flight_store
from cloud.publication.flight_store import StagedLine
from cloud.publication.mover import Publisher
from cloud.records import Beginnings, ScopedRecord, zone_of
from shared.kernel.canonical import sha256
from shared.wire.codec import record_line

# What is frozen was told to the stores of then: it has to reach the newcomer with a later release.
_IS_OPEN = text("""
    SELECT EXISTS (
        SELECT FROM release_change JOIN release_flight flight USING (release_id)
        WHERE flight.state IN ('frozen', 'flying') AND kind = :kind)""")
_KNOWN = text("SELECT key FROM record WHERE scope = :scope")


def lay(publisher: Publisher, connection: Connection, store_id: str) -> None:
    """Make a store's own records the base, where their room keeps one for each store."""
    for source in publisher.sources:
        if not isinstance(source, Beginnings):
            continue
        if connection.execute(_IS_OPEN, {"kind": source.name}).scalar_one():
            continue
        known = set(connection.execute(_KNOWN, {"scope": zone_of(store_id)}).scalars())
        found = source.begin(connection, store_id)
        lines = [_line(each) for each in found if each.record.key not in known]
        flight_store.lay(connection, lines)


def _line(found: ScopedRecord) -> StagedLine:
    line = record_line(found.record)
    return found.scope, str(found.record.kind), found.record.key, sha256(line), line
