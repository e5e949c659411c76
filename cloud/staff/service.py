"""Commands of the staff room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.db import Database
from cloud.passwords import hash_pin
from cloud.records import ScopedRecord, TableDrafts, zone_of
from cloud.staff import store
from cloud.staff.store import Operator
from shared.kernel.errors import RefusedError
from shared.publication.revision import Record, RecordKind
from shared.staff.permission import ROLES

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


def put_operator(database: Database, command: PutOperator) -> None:
    """Add or replace an operator.

    Raises RefusedError `staff.id`, `staff.role`, `staff.pin` or `store.unknown`.
    """
    if _OPERATOR_ID.fullmatch(command.operator_id) is None:
        raise RefusedError("staff.id", operator_id=command.operator_id[:40])
    if command.role not in ROLES:
        raise RefusedError("staff.role", role=command.role[:40], roles=", ".join(ROLES))
    if command.pin is not None and _PIN.fullmatch(command.pin) is None:
        raise RefusedError("staff.pin")
    pin_hash = None if command.pin is None else hash_pin(command.pin)
    with database.begin() as connection:
        known = set(store.store_ids(connection))
        for store_id in command.store_ids:
            if store_id not in known:
                raise RefusedError("store.unknown", store_id=store_id[:40])
        before = store.find_operator(connection, command.operator_id)
        pin_hash = pin_hash or (before.pin_hash if before else None)
        if pin_hash is None:
            raise RefusedError("staff.pin")
        stores = tuple(sorted(set(command.store_ids)))
        store.put_operator(
            connection,
            Operator(command.operator_id, command.name, command.role, pin_hash, stores),
        )


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
    return Record(RecordKind.STAFF, operator.operator_id, body)


def _record_in(operator: Operator, store_id: str) -> Record:
    if store_id in operator.store_ids:
        return record_of(operator)
    return Record(RecordKind.STAFF, operator.operator_id, None)
