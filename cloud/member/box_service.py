"""What boxes ask of the register, and what they bring: members who joined at a till."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from cloud.db import incarnation
from cloud.member import box_store, store
from cloud.member.personal import Personal, sealed
from cloud.member.service import ACTIVE, Register
from cloud.member.store import MemberRow
from cloud.seal_cipher import CIPHER
from shared.kernel.errors import CorruptError, MissingError, RefusedError
from shared.member.consent import Consent, check_consents
from shared.member.feed import MS_MAX, ROWS_MAX, Feed, KnownMember
from shared.member.phone import last_digits, normal_phone
from shared.member.pseudonym import ID_BYTES, is_member_id, member_id, phone_ref, slow_hash
from shared.wire.note import open_note


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody who joined at a till: what the till sealed, opened."""

    member_id: str
    phone: str
    operator: str
    at_ms: int
    consents: tuple[Consent, ...]


def feed(register: Register, dev: str, epoch: str, cursor: str) -> Feed:
    """The next piece of what a box is to know; a cursor of another epoch counts for nothing."""
    with register.database.begin() as connection:
        store_id = box_store.store_of(connection, dev)
        keys = register.keys.of_store(store_id)
        now_epoch = _epoch(connection, keys.store)
        after = _place(cursor) if epoch == now_epoch else (0, "")
        rows = box_store.changes(connection, store_id, after, ROWS_MAX)
    members = tuple(
        KnownMember(
            member_id,
            "" if slow is None else phone_ref(slow, keys.store),
            digits,
            cards,
            at_ms,
            is_active,
        )
        for _, member_id, slow, digits, cards, at_ms, is_active in rows
    )
    if rows:
        after = (rows[-1][0], rows[-1][1])
    return Feed(
        epoch=now_epoch,
        cursor=f"{after[0]}:{after[1]}",
        has_more=len(rows) == ROWS_MAX,
        keys=keys,
        join_public=CIPHER.public_of(register.keys.join_private()),
        members=members,
    )


def ask(register: Register, dev: str, slow: bytes, card: str, at_ms: int) -> KnownMember:
    """Somebody whom the box does not know yet; from now on it does.

    MissingError `member.unknown`.
    """
    with register.database.begin() as connection:
        store_id = box_store.store_of(connection, dev)
        row = (
            store.find_by_phone(connection, slow) if slow else store.find_by_card(connection, card)
        )
        if row is None or row.state != ACTIVE:
            raise MissingError("member.unknown")
        store.be_at_store(connection, store_id, row.member_id, at_ms)
        return _known(register, connection, store_id, row, at_ms)


def bring(register: Register, dev: str, till_id: str, payload: bytes, now_ms: int) -> KnownMember:
    """Take in whoever joined at a till; told again it changes nothing.

    Whose number is known already stays who they are: the till's id becomes another of theirs. Who
    was taken for somebody with another number, or for somebody erased before, is somebody new.
    Raises RefusedError `member.join` for what cannot be one, or `member.consent`,
    MissingError `member.erased` where that id was erased meanwhile.
    """
    joined = _read(register, dev, till_id, payload)
    slow = slow_hash(joined.phone, register.keys.of_store("").salt)
    try:
        return _take(register, dev, joined, slow, min(joined.at_ms, now_ms))
    except IntegrityError:  # the same number came in by another door just now: it is known now
        return _take(register, dev, joined, slow, min(joined.at_ms, now_ms))


def _take(register: Register, dev: str, joined: Joined, slow: bytes, at_ms: int) -> KnownMember:
    with register.database.begin() as connection:
        store_id = box_store.store_of(connection, dev)
        by = f"{store_id}/{joined.operator}"
        row = store.find(connection, joined.member_id)
        if row is not None and _is_somebody_else(connection, row, slow, (at_ms, by)):
            row = store.find_by_phone(connection, slow)
            if row is None:
                own = replace(joined, member_id=member_id(register.random(ID_BYTES)))
                row = _added(register, connection, own, slow, (store_id, at_ms))
        elif row is None:
            row = store.find_by_phone(connection, slow)
            if row is None:
                row = _added(register, connection, joined, slow, (store_id, at_ms))
            else:
                store.add_alias(connection, joined.member_id, row.member_id)
        if row.state != ACTIVE:
            raise MissingError("member.erased")
        if not _has_heard(connection, row, (at_ms, by)):
            given = tuple(each for each in joined.consents if each.is_given)
            store.add_consents(connection, row.member_id, given, at_ms, by)
        store.be_at_store(connection, store_id, row.member_id, at_ms)
        return _known(register, connection, store_id, row, at_ms)


def _is_somebody_else(
    connection: Connection, row: MemberRow, slow: bytes, heard: tuple[int, str]
) -> bool:
    """Whether the till's list was old: whom it took the customer for has another number by now.

    Or was erased before the customer joined: then that customer joined anew.
    """
    if row.state != ACTIVE:
        return row.erased_at_ms is not None and row.erased_at_ms < heard[0]
    return row.phone_slow != slow and not _has_heard(connection, row, heard)


def _has_heard(connection: Connection, row: MemberRow, heard: tuple[int, str]) -> bool:
    """Whether what was agreed to then (UTC ms), before that person, is kept already."""
    kept = store.consents(connection, row.member_id)
    return any((each.at_ms, each.by) == heard for each in kept)


def _added(
    register: Register,
    connection: Connection,
    joined: Joined,
    slow: bytes,
    where: tuple[str, int],
) -> MemberRow:
    personal = Personal(phone=joined.phone)
    row = MemberRow(
        member_id=joined.member_id,
        state=ACTIVE,
        phone_slow=slow,
        last_digits=last_digits(joined.phone),
        sealed=sealed(register.keys, joined.member_id, personal, register.random),
        key_id=register.keys.newest_id,
        joined_at_ms=where[1],
        joined_store=where[0],
        joined_by=joined.operator,
    )
    store.put(connection, row)
    return row


def _known(
    register: Register, connection: Connection, store_id: str, row: MemberRow, at_ms: int
) -> KnownMember:
    keys = register.keys.of_store(store_id)
    ref = "" if row.phone_slow is None else phone_ref(row.phone_slow, keys.store)
    cards = tuple(store.card_refs(connection, row.member_id))
    return KnownMember(row.member_id, ref, row.last_digits, cards, at_ms)


def _read(register: Register, dev: str, till_id: str, payload: bytes) -> Joined:
    if not is_member_id(till_id):
        raise RefusedError("member.join")
    # What one box sealed for one member is no other's.
    about = f"{dev}/{till_id}"
    try:
        note = open_note(CIPHER, register.keys.join_private(), payload, about)
        raw: dict[str, Any] = orjson.loads(note)
        joined = Joined(
            member_id=till_id,
            phone=normal_phone(str(raw["phone"]), ""),
            operator=str(raw["operator"])[:64].replace("\0", ""),
            at_ms=int(raw["at_ms"]),
            consents=tuple(
                Consent(str(each[0]), bool(each[1]), str(each[2])[:20]) for each in raw["consents"]
            ),
        )
    except (RefusedError, CorruptError, ValueError, KeyError, TypeError, IndexError):
        raise RefusedError("member.join") from None
    if not 0 <= joined.at_ms <= MS_MAX:
        raise RefusedError("member.join")
    check_consents(joined.consents)
    return joined


def _epoch(connection: Connection, key: bytes) -> str:
    return f"{incarnation(connection)}.{hashlib.sha256(key).hexdigest()[:16]}"


def _place(cursor: str) -> tuple[int, str]:
    xid, _, member = cursor.partition(":")
    if not xid.isascii() or not xid.isdigit() or len(xid) > 18:  # noqa: PLR2004 - fits a bigint
        return 0, ""
    return int(xid), member[:64].replace("\0", "")
