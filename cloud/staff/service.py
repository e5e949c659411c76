"""Commands of the staff room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection

from cloud.db import Database
from cloud.passwords import hash_pin
from cloud.records import ScopedRecord, TableDrafts, zone_of
from cloud.staff import store
from cloud.staff.store import Author, Operator
from shared.kernel.errors import RefusedError
from shared.publication.revision import Record, RecordKind
from shared.staff.role import BUILT_IN, ROLE

_OPERATOR_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_PIN = re.compile(r"[0-9]{4,8}")


@dataclass(frozen=True, slots=True)
class PutOperator:
    """An operator as HQ wants them; `pin` None keeps the old one."""

    operator_id: str
    name: str
    role: str
    pin: str | None
    store_ids: tuple[str, ...]
    valid_from: date | None = None
    valid_to: date | None = None


def put_operator(database: Database, command: PutOperator, author: Author) -> None:
    """Add or replace an operator.

    Raises RefusedError `staff.id`, `staff.role`, `staff.pin`, `staff.dates` or `store.unknown`.
    """
    if _OPERATOR_ID.fullmatch(command.operator_id) is None:
        raise RefusedError("staff.id", operator_id=command.operator_id[:40])
    if command.pin is not None and _PIN.fullmatch(command.pin) is None:
        raise RefusedError("staff.pin")
    if command.valid_from and command.valid_to and command.valid_to < command.valid_from:
        raise RefusedError("staff.dates")
    pin_hash = None if command.pin is None else hash_pin(command.pin)
    with database.begin() as connection:
        _refuse_unknown_role(connection, command.role)
        known = set(store.store_ids(connection))
        for store_id in command.store_ids:
            if store_id not in known:
                raise RefusedError("store.unknown", store_id=store_id[:40])
        before = store.find_operator(connection, command.operator_id)
        pin_hash = pin_hash or (before.pin_hash if before else None)
        if pin_hash is None:
            raise RefusedError("staff.pin")
        stores = tuple(sorted(set(command.store_ids)))
        after = Operator(
            command.operator_id,
            command.name,
            command.role,
            pin_hash,
            stores,
            command.valid_from,
            command.valid_to,
        )
        store.put_operator(connection, after)
        if after != before:
            _keep(connection, author, before, after)


def _refuse_unknown_role(connection: Connection, role: str) -> None:
    known = {*BUILT_IN, *store.role_ids(connection, ROLE)}
    if role not in known:
        raise RefusedError("staff.role", role=role[:40], roles=", ".join(sorted(known)))


def _keep(connection: Connection, author: Author, before: Operator | None, after: Operator) -> None:
    """Who changed what; of a PIN only that it was changed."""
    old, new = (None if each is None else _told(each) for each in (before, after))
    assert new is not None
    if before is not None and before.pin_hash != after.pin_hash:
        new["pin"] = "*"
    old_json = None if old is None else orjson.dumps(old).decode()
    store.add_event(connection, author, after.operator_id, old_json, orjson.dumps(new).decode())


def _told(operator: Operator) -> dict[str, Any]:
    told = asdict(operator)
    return {name: told[name] for name in told if name not in ("operator_id", "pin_hash")}


def operators(database: Database) -> list[Operator]:
    """Everybody, by id."""
    with database.begin() as connection:
        return list(store.operators(connection))


class StaffRecords(TableDrafts):
    """Operators as records; see `cloud.records.RecordSource`."""

    name, draft_table, draft_column = "staff", "staff_draft", "operator_id"

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """Who changed: a record where they work, a removal everywhere else."""
        every_store = store.store_ids(connection)
        for operator in list(store.drafts(connection)):
            for store_id in every_store:
                yield ScopedRecord(zone_of(store_id), _record_in(operator, store_id))


def record_of(operator: Operator) -> Record:
    """An operator as the box sees them."""
    body = {"name": operator.name, "role": operator.role, "pin_hash": operator.pin_hash}
    for name in ("valid_from", "valid_to"):
        day = getattr(operator, name)
        if day is not None:
            body[name] = day.isoformat()
    return Record(RecordKind.STAFF, operator.operator_id, body)


def _record_in(operator: Operator, store_id: str) -> Record:
    if store_id in operator.store_ids:
        return record_of(operator)
    return Record(RecordKind.STAFF, operator.operator_id, None)
