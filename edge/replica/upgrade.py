"""Catalogue files of older software: this software sells with them, and fetches them anew."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge.replica.build import create_indexes, create_table
from edge.replica.schema import OTHER, TABLES, RecordTable
from edge.sqlite import Writer

_SQL_TYPES: dict[type, str] = {str: "TEXT", int: "INTEGER", bytes: "BLOB"}
_NO_DIGEST = "0" * 64


def upgrade_catalog(path: Path) -> bool:
    """Add the tables and columns that a catalogue file lacks; whether it lacked any.

    What the older software did not keep is lost to the file, so its digest is struck: the next
    delta will not fit, and the snapshot is fetched instead. Until then the shop sells.
    """
    writer = Writer(path, "FULL")
    writer.open(())
    try:
        with writer.transaction() as connection:
            lacking = [_upgrade_table(connection, table) for table in TABLES.values()]
            if any(lacking):
                connection.execute("UPDATE contents SET digest=?", (_NO_DIGEST,))
            return any(lacking)
    finally:
        writer.close()


def _upgrade_table(connection: sqlite3.Connection, table: RecordTable) -> bool:
    found = connection.execute("SELECT name FROM pragma_table_info(?)", (table.name,)).fetchall()
    known = {row[0] for row in found}
    if not known:
        create_table(connection, table)
        create_indexes(connection, table)
        return table is not TABLES[OTHER]  # older software refused what belongs there
    lacking = [name for name in table.columns if name not in known]
    for name in lacking:
        kind = _SQL_TYPES[table.columns[name]]
        connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}")
    return bool(lacking)
