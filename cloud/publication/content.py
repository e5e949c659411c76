"""What a store sold by at one of its revisions: the base, and the releases that it had then."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

_SCOPES = text("""
    SELECT coalesce(
        (SELECT scopes FROM lineage WHERE store_id = :store_id),
        ARRAY['', 'store-' || :store_id])""")
_BASE = text("""
    SELECT kind, key, line FROM record
    WHERE scope = ANY (:scopes) AND (
        (kind, key) IN (SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:keys AS text[])))
        OR kind = ANY (:whole))""")
# What every release that the store ever had says of these records, the oldest first.
_CHANGES = text("""
    SELECT kind, key, had.rev, had.gone_rev, old_line, new_line, new_sha IS NULL
    FROM release_store had JOIN release_change USING (release_id)
    WHERE had.store_id = :store_id AND scope = ANY (:scopes) AND (
        (kind, key) IN (SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:keys AS text[])))
        OR kind = ANY (:whole))
    ORDER BY had.rev""")


def records_at(
    connection: Connection,
    store_id: str,
    rev: int,
    wanted: Iterable[tuple[str, str]],
    kinds: Iterable[str] = (),
) -> dict[tuple[str, str], bytes]:
    """The lines of records that a store has at a revision, by kind and key.

    `wanted` names records, `kinds` asks for all of a kind. Records that are not there are left
    out. A revision of months ago may be answered as if it were the oldest that is remembered.
    """
    asked = sorted(set(wanted))
    values = {
        "store_id": store_id,
        "scopes": connection.execute(_SCOPES, {"store_id": store_id}).scalar_one(),
        "kinds": [kind for kind, _ in asked],
        "keys": [key for _, key in asked],
        "whole": list(kinds),
    }
    found: dict[tuple[str, str], bytes | None] = {
        (kind, key): line for kind, key, line in connection.execute(_BASE, values)
    }
    had: set[tuple[str, str]] = set()
    later: dict[tuple[str, str], bytes | None] = {}
    for kind, key, brought, gone, old_line, line, is_removal in connection.execute(
        _CHANGES, values
    ):
        name = (kind, key)
        if brought <= rev and (gone is None or gone > rev):
            found[name] = None if is_removal else line
            had.add(name)
        elif brought > rev:
            later.setdefault(name, old_line)
    found |= {name: line for name, line in later.items() if name not in had}
    return {name: bytes(line) for name, line in found.items() if line is not None}
