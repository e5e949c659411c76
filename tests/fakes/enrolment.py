"""Boxes that the cloud knows, put into the database without the enrolment's ceremony."""

from __future__ import annotations

from sqlalchemy import text

from cloud.db import Database
from tests.fakes.box_stream import BoxStream

STORE = text("""
    INSERT INTO store VALUES (:store, 'Store ' || :store, 'America/New_York', 'USD')
    ON CONFLICT DO NOTHING""")
DEVICE = text("""
    INSERT INTO device (dev, store_id, secret_hash, journal_pub, status, hw_fp, created_at_ms)
    VALUES (:dev, :store, '', :pub, 'active', '', 0) ON CONFLICT DO NOTHING""")
STREAM = text("""
    INSERT INTO stream (stream_id, dev, store_id, ordinal, status)
    VALUES (:stream, :dev, :store, :ordinal, 'open')""")


def enrol(database: Database, box: BoxStream) -> None:
    """Give a box its store, its device row and its stream."""
    values = {
        "dev": box.dev,
        "store": box.store_id,
        "pub": box.journal_pub,
        "stream": box.stream_id,
        "ordinal": box.ordinal,
    }
    with database.begin() as connection:
        for statement in (STORE, DEVICE, STREAM):
            connection.execute(statement, values)
