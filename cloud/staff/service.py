"""Commands of the staff room."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from cloud.db import Database
from cloud.passwords import hash_pin
from cloud.records import ScopedRecord, TableDrafts, Waiting, zone_of
from cloud.staff import store
from cloud.staff.reach_store import NOWHERE, Reach, reach
from cloud.staff.store import Author, Operator, Seen
from shared.kernel.errors import MissingError, RefusedError
from shared.publication.revision import Record, RecordKind
from shared.staff.badge import (
    CODE_BYTES,
    KEY_BYTES,
    BadgeHash,
    badge_code,
    badge_hash,
    check_badge_code,
)
from shared.staff.pin import check_new_pin
from shared.staff.role import BUILT_IN, ROLE

_OPERATOR_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_PIN = re.compile(r"[0-9]{4,8}")
_UNTOLD = frozenset({"operator_id", "pin_hash", "badge_key", "badge_hash"})
NAMED_MAX, BY_MAX = 10, 80
"""So many operators are named in a publication, and so long is the list of who changed them."""
Random = Callable[[int], bytes]
"""So many random bytes."""


@dataclass(frozen=True, slots=True)
class PutOperator:
    """An operator as HQ wants them; `pin` None keeps the old one.

    With `must_change` a new PIN is good for choosing one's own at the till and for nothing else.
    """

    operator_id: str
    name: str
    role: str
    pin: str | None
    store_ids: tuple[str, ...]
    valid_from: date | None = None
    valid_to: date | None = None
    must_change: bool = False


def put_operator(database: Database, command: PutOperator, author: Author) -> None:
    """Add or replace an operator.

    Raises RefusedError `staff.id`, `staff.role`, `staff.pin`, `pin.weak` (of one that is to
    last), `staff.dates` or `store.unknown`.
    """
    _check(command)
    pin_hash = None if command.pin is None else hash_pin(command.pin)
    with database.begin() as connection:
        _refuse_unknown_role(connection, command.role)
        known = set(store.store_ids(connection))
        for store_id in command.store_ids:
            if store_id not in known:
                raise RefusedError("store.unknown", store_id=store_id[:40])
        before = store.find_operator(connection, command.operator_id)
        if pin_hash is None and before is None:
            raise RefusedError("staff.pin")
        blank = Operator(command.operator_id, command.name, command.role, "", ())
        after = replace(
            before or blank,
            name=command.name,
            role=command.role,
            store_ids=tuple(sorted(set(command.store_ids))),
            valid_from=command.valid_from,
            valid_to=command.valid_to,
        )
        if pin_hash is not None:
            day = datetime.fromtimestamp(author.at_ms / 1000, UTC).date()
            is_first = command.must_change
            after = replace(after, pin_hash=pin_hash, pin_day=day, is_first_pin=is_first)
        elif command.must_change:
            after = replace(after, is_first_pin=True)
        _put(connection, author, before, after)


def new_badge(database: Database, operator_id: str, author: Author, random: Random) -> str:
    """Give an operator a badge with a new code, which is told this once; the old one is void."""
    code = badge_code(random(CODE_BYTES))
    put_badge(database, operator_id, code, author, random)
    return code


def put_badge(
    database: Database, operator_id: str, code: str, author: Author, random: Random
) -> None:
    """Take a code as an operator's badge, "" for none; only a keyed hash of it is kept.

    Raises MissingError `staff.unknown`, RefusedError `badge.code`, or `badge.taken` where it is
    somebody else's.
    """
    if code:
        check_badge_code(code)
    kept = badge_hash(code, random(KEY_BYTES)) if code else None
    with database.begin() as connection:
        before = store.find_operator(connection, operator_id)
        if before is None:
            raise MissingError("staff.unknown", operator_id=operator_id[:40])
        for other, key, hashed in store.badges(connection) if code else ():
            if other != operator_id and BadgeHash(key, hashed).is_of(code):
                raise RefusedError("badge.taken", operator_id=other)
        after = replace(before, badge_key=None, badge_hash=None)
        if kept is not None:
            after = replace(before, badge_key=kept.key, badge_hash=kept.hash)
        _put(connection, author, before, after)


def _check(command: PutOperator) -> None:
    if _OPERATOR_ID.fullmatch(command.operator_id) is None:
        raise RefusedError("staff.id", operator_id=command.operator_id[:40])
    if command.pin is not None:
        if _PIN.fullmatch(command.pin) is None:
            raise RefusedError("staff.pin")
        if not command.must_change:
            check_new_pin(command.pin, command.operator_id)
    if command.valid_from and command.valid_to and command.valid_to < command.valid_from:
        raise RefusedError("staff.dates")


def _put(connection: Connection, author: Author, before: Operator | None, after: Operator) -> None:
    store.put_operator(connection, after)
    if after != before:
        keep_change(connection, author, before, after)


def _refuse_unknown_role(connection: Connection, role: str) -> None:
    known = {*BUILT_IN, *store.role_ids(connection, ROLE)}
    if role not in known:
        raise RefusedError("staff.role", role=role[:40], roles=", ".join(sorted(known)))


def keep_change(
    connection: Connection, author: Author, before: Operator | None, after: Operator
) -> None:
    """Who changed what; of a PIN or a badge only that it was changed."""
    old, new = (None if each is None else _told(each) for each in (before, after))
    assert new is not None
    if before is not None and before.pin_hash != after.pin_hash:
        new["pin"] = "*"
    if (before.badge_hash if before is not None else None) != after.badge_hash:
        new["badge"] = "*" if after.badge_hash else None
    old_json = None if old is None else orjson.dumps(old).decode()
    store.add_event(connection, author, after.operator_id, old_json, orjson.dumps(new).decode())


def _told(operator: Operator) -> dict[str, Any]:
    told = asdict(operator)
    return {name: told[name] for name in told if name not in _UNTOLD}


def operators(database: Database) -> list[Operator]:
    """Everybody, by id."""
    with database.begin() as connection:
        return list(store.operators(connection))


def operators_seen(database: Database, now_ms: int) -> list[tuple[Operator, Seen | None, Reach]]:
    """Everybody, by id: when they were last at a till, and how far their changes have come."""
    with database.begin() as connection:
        seen, told = store.seen(connection), reach(connection, now_ms)
        return [
            (each, seen.get(each.operator_id), told.get(each.operator_id, NOWHERE))
            for each in store.operators(connection)
        ]


class StaffRecords(TableDrafts):
    """Operators as records; see `cloud.records.RecordSource` and `Prompt`.

    Whoever is taken away, gets a new PIN or loses a badge must not wait for prices.
    """

    name, draft_table, draft_column = "staff", "staff_draft", "operator_id"

    def waiting(self, connection: Connection) -> Waiting | None:
        """See `Prompt`."""
        found = store.waiting(connection, NAMED_MAX + 1)
        if not found:
            return None
        rest = " ..." if len(found) > NAMED_MAX else ""
        by = ", ".join(sorted({by for _, by in found if by})) or self.name
        named = ", ".join(operator_id for operator_id, _ in found[:NAMED_MAX])
        return Waiting(by[:BY_MAX], named + rest)

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """Who changed: a record where they work, a removal everywhere else."""
        every_store = store.store_ids(connection)
        for operator in list(store.drafts(connection)):
            for store_id in every_store:
                yield ScopedRecord(zone_of(store_id), _record_in(operator, store_id))


def record_of(operator: Operator) -> Record:
    """An operator as the box sees them."""
    body: dict[str, Any] = {
        "name": operator.name,
        "role": operator.role,
        "pin_hash": operator.pin_hash,
    }
    for name in ("valid_from", "valid_to", "pin_day"):
        day = getattr(operator, name)
        if day is not None:
            body[name] = day.isoformat()
    if operator.is_first_pin:
        body["is_first_pin"] = True
    if operator.badge_hash is not None:
        body["badge"] = {"key": operator.badge_key, "hash": operator.badge_hash}
    return Record(RecordKind.STAFF, operator.operator_id, body)


def _record_in(operator: Operator, store_id: str) -> Record:
    if store_id in operator.store_ids:
        return record_of(operator)
    return Record(RecordKind.STAFF, operator.operator_id, None)
