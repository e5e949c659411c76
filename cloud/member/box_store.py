"""SQL of what boxes know of members.

A box is told rows in the order of the transactions that wrote them, and only up to the oldest that
is still open: so no row can come to stand before what was told already.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

_XID = "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
_CHANGES = text("""
    SELECT known.change_xid, member.member_id, member.phone_slow, member.last_digits,
        array(SELECT card_ref FROM member_card card
              WHERE card.member_id = member.member_id ORDER BY card_ref) AS cards,
        known.last_at_ms, member.state = 'active'
    FROM member_store known JOIN member USING (member_id)
    WHERE known.store_id = :store_id
        AND (known.change_xid, known.member_id) > (:xid, :member_id)
        AND known.change_xid
            < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
    ORDER BY known.change_xid, known.member_id LIMIT :most""")
_ADD_SALES = text("""
    INSERT INTO member_sale (store_id, entry_id, ref, at_ms)
    SELECT :store_id, told.entry_id, told.ref, told.at_ms
    FROM unnest(CAST(:ids AS uuid[]), CAST(:refs AS text[]), CAST(:ats AS bigint[]))
        AS told (entry_id, ref, at_ms)
    ON CONFLICT DO NOTHING""")
# Whoever buys is known in that store; a date that is a little old costs no box a word.
_SEEN = text(f"""
    INSERT INTO member_store AS known (store_id, member_id, last_at_ms, change_xid)
    SELECT :store_id, member.member_id, max(told.at_ms), {_XID}
    FROM unnest(CAST(:refs AS text[]), CAST(:ats AS bigint[])) AS told (ref, at_ms)
    JOIN member ON member.state = 'active' AND member.member_id = coalesce(
        (SELECT member_id FROM member_card WHERE card_ref = told.ref),
        (SELECT member_id FROM member_alias WHERE alias = told.ref), told.ref)
    GROUP BY member.member_id ORDER BY member.member_id
    ON CONFLICT (store_id, member_id) DO UPDATE
    SET last_at_ms = excluded.last_at_ms, change_xid = excluded.change_xid
    WHERE known.last_at_ms < excluded.last_at_ms - :lag_ms""")  # noqa: S608 - fixed text
_STORE_OF = text("SELECT store_id FROM device WHERE dev = :dev")
LAG_MS = 30 * 24 * 3600 * 1000


def store_of(connection: Connection, dev: str) -> str:
    """The store of an enrolled box."""
    return str(connection.execute(_STORE_OF, {"dev": dev}).scalar_one())


def changes(
    connection: Connection, store_id: str, after: tuple[int, str], most: int
) -> list[tuple[int, str, bytes | None, str, tuple[str, ...], int, bool]]:
    """What came after a place: (transaction, id, slow hash, digits, cards, last seen, active)."""
    told = {"store_id": store_id, "xid": after[0], "member_id": after[1], "most": most}
    return [
        (int(xid), member_id, None if slow is None else bytes(slow), digits, tuple(cards), at, on)
        for xid, member_id, slow, digits, cards, at, on in connection.execute(_CHANGES, told)
    ]


def add_sales(connection: Connection, store_id: str, sold: Sequence[tuple[str, str, int]]) -> None:
    """Keep which sales name whom: (entry id, what names the member, UTC ms)."""
    ids, refs, ats = zip(*sold, strict=True)
    told = {"store_id": store_id, "ids": list(ids), "refs": list(refs), "ats": list(ats)}
    connection.execute(_ADD_SALES, told)
    connection.execute(_SEEN, told | {"lag_ms": LAG_MS})
