"""SQL of operators. Reads `store` beside its own table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

_COLUMNS = "operator_id, name, role, pin_hash, store_ids"
_PUT = text(
    f"INSERT INTO staff ({_COLUMNS})"  # noqa: S608 - constants
    " VALUES (:operator_id, :name, :role, :pin_hash, :store_ids)"
    " ON CONFLICT (operator_id) DO UPDATE SET name = excluded.name, role = excluded.role,"
    " pin_hash = excluded.pin_hash, store_ids = excluded.store_ids"
)
# Written again when it is there already, so that a publication at the same time notices.
_DRAFT = text(
    "INSERT INTO staff_draft VALUES (:operator_id)"
    " ON CONFLICT (operator_id) DO UPDATE SET operator_id = excluded.operator_id"
)


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who works in some stores; `pin_hash` is an argon2id string."""

    operator_id: str
    name: str
    role: str
    pin_hash: str
    store_ids: tuple[str, ...]


def operators(connection: Connection) -> Iterator[Operator]:
    """Everybody, by id."""
    return _operators(connection, "")


def drafts(connection: Connection) -> Iterator[Operator]:
    """Those who changed since they were last published."""
    return _operators(connection, "JOIN staff_draft USING (operator_id)")


def find_operator(connection: Connection, operator_id: str) -> Operator | None:
    """The operator with that id."""
    return next(_operators(connection, "WHERE operator_id = :operator_id", operator_id), None)


def put_operator(connection: Connection, operator: Operator) -> None:
    """Add or replace an operator; the change waits for the next publication."""
    connection.execute(
        _PUT,
        {
            "operator_id": operator.operator_id,
            "name": operator.name,
            "role": operator.role,
            "pin_hash": operator.pin_hash,
            "store_ids": list(operator.store_ids),
        },
    )
    connection.execute(_DRAFT, {"operator_id": operator.operator_id})


def store_ids(connection: Connection) -> list[str]:
    """Every store."""
    found = connection.execute(text("SELECT store_id FROM store ORDER BY store_id"))
    return [str(store_id) for (store_id,) in found]


def _operators(connection: Connection, tail: str, operator_id: str = "") -> Iterator[Operator]:
    statement = text(
        f"SELECT {_COLUMNS} FROM staff {tail} ORDER BY operator_id"  # noqa: S608 - constants
    )
    parameters = {"operator_id": operator_id} if operator_id else {}
    for number, name, role, pin_hash, stores in connection.execute(statement, parameters):
        yield Operator(number, name, role, pin_hash, tuple(stores))
