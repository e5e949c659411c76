"""SQL of members. What names a person comes and goes sealed or hashed; see `service`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

from shared.member.consent import Consent

NEWEST_MAX = 50
_NAMES = (
    "member_id", "state", "phone_slow", "last_digits", "sealed", "key_id", "joined_at_ms",
    "joined_store", "joined_by", "erased_at_ms",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES)
_NEW = ", ".join(f"{name} = excluded.{name}" for name in _NAMES[1:])
_PUT = text(
    f"INSERT INTO member ({_COLUMNS}) VALUES ({', '.join(f':{name}' for name in _NAMES)})"  # noqa: S608 - constants
    f" ON CONFLICT (member_id) DO UPDATE SET {_NEW}"
)
_SELECT = f"SELECT {_COLUMNS} FROM member"  # noqa: S608 - constants
_BY_ID = text(f"""{_SELECT} WHERE member_id = coalesce(
    (SELECT member_id FROM member_alias WHERE alias = :member_id), :member_id)""")  # noqa: S608 - constants
_LOCKED = text(f"{_SELECT} WHERE member_id = :member_id FOR UPDATE")
_BY_PHONE = text(f"{_SELECT} WHERE phone_slow = :phone_slow")
_BY_CARD = text(
    f"{_SELECT} WHERE member_id = "  # noqa: S608 - constants
    "(SELECT member_id FROM member_card WHERE card_ref = :card_ref)"
)
_NEWEST = text(f"{_SELECT} ORDER BY joined_at_ms DESC, member_id LIMIT :most")
_COUNTS = text("""
    SELECT count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state = 'erased')
    FROM member""")
_ADD_CONSENT = text("""
    INSERT INTO member_consent (member_id, purpose, is_given, at_ms, by, text_version)
    VALUES (:member_id, :purpose, :is_given, :at_ms, :by, :text_version)""")
_CONSENTS = text("""
    SELECT purpose, is_given, at_ms, by, text_version FROM member_consent
    WHERE member_id = :member_id ORDER BY id""")
# The number of this transaction: boxes are told of no row whose writer may still be at work.
_XID = "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
_TOUCH = text(f"UPDATE member_store SET change_xid = {_XID} WHERE member_id = :member_id")  # noqa: S608 - fixed text
_AT_STORE = text(f"""
    INSERT INTO member_store AS known (store_id, member_id, last_at_ms, change_xid)
    VALUES (:store_id, :member_id, :at_ms, {_XID})
    ON CONFLICT (store_id, member_id) DO UPDATE
    SET last_at_ms = greatest(known.last_at_ms, excluded.last_at_ms),
        change_xid = excluded.change_xid""")  # noqa: S608 - fixed text
_STORES = text("SELECT store_id FROM member_store WHERE member_id = :member_id ORDER BY store_id")
_STALE = text(f"""{_SELECT} WHERE sealed IS NOT NULL AND key_id <> :key_id
    ORDER BY member_id LIMIT :most FOR UPDATE SKIP LOCKED""")
_RESEAL = text("UPDATE member SET sealed = :sealed, key_id = :key_id WHERE member_id = :member_id")
_KEY_IDS = text("SELECT DISTINCT key_id FROM member WHERE key_id IS NOT NULL ORDER BY key_id")
# A sale that a box brought out of an older journal stands in its carrier.
_SALES = text("""
    WITH sold AS (SELECT * FROM member_sale WHERE ref = ANY(:refs)),
    told AS (
        SELECT sold.*, entry.body, false AS is_carried
        FROM sold JOIN entry ON entry.store_id = sold.store_id
            AND entry.at_ms = sold.at_ms AND entry.type = 'sale.completed'
            AND entry.id = CAST(sold.entry_id AS text)
        UNION ALL
        SELECT sold.*, entry.body, true
        FROM sold JOIN entry ON entry.store_id = sold.store_id
            AND entry.type = 'entry.salvaged' AND entry.id = CAST(sold.entry_id AS text))
    SELECT DISTINCT ON (at_ms, entry_id) store_id, at_ms, body FROM told
    ORDER BY at_ms, entry_id, is_carried LIMIT :most""")
_COUNT_SALES = text("SELECT count(*) FROM member_sale WHERE ref = ANY(:refs)")


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as stored: `sealed` under `key_id`, None once erased."""

    member_id: str
    state: str
    phone_slow: bytes | None
    last_digits: str
    sealed: bytes | None
    key_id: str | None
    joined_at_ms: int
    joined_store: str
    joined_by: str
    erased_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent with when (UTC ms) and before whom it was given or taken back."""

    purpose: str
    is_given: bool
    at_ms: int
    by: str
    text_version: str


def put(connection: Connection, row: MemberRow) -> None:
    """Add or replace a member; the boxes that know them hear of it."""
    connection.execute(_PUT, asdict(row))
    connection.execute(_TOUCH, {"member_id": row.member_id})


def find(connection: Connection, member_id: str) -> MemberRow | None:
    """By an id, also one that became another's."""
    return _one(connection.execute(_BY_ID, {"member_id": member_id}))


def find_locked(connection: Connection, member_id: str) -> MemberRow | None:
    """By the very id; nobody else changes them before the transaction ends."""
    return _one(connection.execute(_LOCKED, {"member_id": member_id}))


def find_by_phone(connection: Connection, phone_slow: bytes) -> MemberRow | None:
    """Who has this number."""
    return _one(connection.execute(_BY_PHONE, {"phone_slow": phone_slow}))


def find_by_card(connection: Connection, card_ref: str) -> MemberRow | None:
    """Who has this card."""
    return _one(connection.execute(_BY_CARD, {"card_ref": card_ref}))


def newest(connection: Connection) -> list[MemberRow]:
    """Who joined last, newest first, at most `NEWEST_MAX`."""
    found = connection.execute(_NEWEST, {"most": NEWEST_MAX})
    return [_row(each) for each in found]


def counts(connection: Connection) -> tuple[int, int]:
    """How many are members, and how many were erased."""
    active, erased = connection.execute(_COUNTS).one()
    return int(active), int(erased)


def add_consents(
    connection: Connection, member_id: str, consents: Iterable[Consent], at_ms: int, by: str
) -> None:
    """Keep what was agreed to or taken back."""
    for each in consents:
        told = {"member_id": member_id, "at_ms": at_ms, "by": by}
        connection.execute(_ADD_CONSENT, told | asdict(each))


def consents(connection: Connection, member_id: str) -> list[GivenConsent]:
    """All of a member's, oldest first."""
    return [GivenConsent(*row) for row in connection.execute(_CONSENTS, {"member_id": member_id})]


def be_at_store(connection: Connection, store_id: str, member_id: str, at_ms: int) -> None:
    """Have a store's boxes know a member."""
    told = {"store_id": store_id, "member_id": member_id, "at_ms": at_ms}
    connection.execute(_AT_STORE, told)


def stores(connection: Connection, member_id: str) -> list[str]:
    """The stores whose boxes know a member."""
    return [str(each) for (each,) in connection.execute(_STORES, {"member_id": member_id})]


def put_cards(connection: Connection, member_id: str, refs: Sequence[str]) -> str | None:
    """Take these as a member's only cards; the first that is somebody else's, or None."""
    connection.execute(
        text("DELETE FROM member_card WHERE member_id = :member_id AND card_ref <> ALL(:refs)"),
        {"member_id": member_id, "refs": list(refs)},
    )
    for ref in refs:
        connection.execute(
            text("INSERT INTO member_card VALUES (:ref, :member_id) ON CONFLICT DO NOTHING"),
            {"ref": ref, "member_id": member_id},
        )
        owner = connection.execute(
            text("SELECT member_id FROM member_card WHERE card_ref = :ref"), {"ref": ref}
        ).scalar_one()
        if owner != member_id:
            return ref
    return None


def card_refs(connection: Connection, member_id: str) -> list[str]:
    """What stands for a member's cards."""
    found = connection.execute(
        text("SELECT card_ref FROM member_card WHERE member_id = :member_id ORDER BY card_ref"),
        {"member_id": member_id},
    )
    return [str(each) for (each,) in found]


def aliases(connection: Connection, member_id: str) -> list[str]:
    """Other ids that sales may name a member by."""
    found = connection.execute(
        text("SELECT alias FROM member_alias WHERE member_id = :member_id ORDER BY alias"),
        {"member_id": member_id},
    )
    return [str(each) for (each,) in found]


def add_alias(connection: Connection, alias: str, member_id: str) -> None:
    """Let an id that a till gave out be another member's as well."""
    connection.execute(
        text("INSERT INTO member_alias VALUES (:alias, :member_id) ON CONFLICT DO NOTHING"),
        {"alias": alias, "member_id": member_id},
    )


def sales(connection: Connection, refs: Sequence[str], most: int) -> Iterator[tuple[str, bytes]]:
    """Store and journal body of the sales that name a member so, oldest first."""
    for store_id, _, body in connection.execute(_SALES, {"refs": list(refs), "most": most}):
        yield str(store_id), bytes(body)


def count_sales(connection: Connection, refs: Sequence[str]) -> int:
    """How many sales name a member so."""
    return int(connection.execute(_COUNT_SALES, {"refs": list(refs)}).scalar_one())


def stale(connection: Connection, key_id: str, most: int) -> list[MemberRow]:
    """Some members whose data another key seals."""
    return [_row(each) for each in connection.execute(_STALE, {"key_id": key_id, "most": most})]


def reseal(connection: Connection, member_id: str, sealed: bytes, key_id: str) -> None:
    """Keep the same data under another key; boxes have nothing to hear."""
    told = {"member_id": member_id, "sealed": sealed, "key_id": key_id}
    connection.execute(_RESEAL, told)


def key_ids(connection: Connection) -> list[str]:
    """The keys that some member's data needs."""
    return [str(each) for (each,) in connection.execute(_KEY_IDS)]


def _one(found: Iterable[Any]) -> MemberRow | None:
    return next((_row(each) for each in found), None)


def _row(each: Any) -> MemberRow:  # noqa: ANN401 - a database row
    row = MemberRow(*each)
    assert (row.sealed is None) == (row.key_id is None)
    return row
