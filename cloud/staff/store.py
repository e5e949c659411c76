"""SQL of operators. Reads `store`, `config_row` beside its table, adds to `master_event`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

_COLUMNS = "operator_id, name, role, pin_hash, store_ids, valid_from, valid_to"
_PUT = text(
    f"INSERT INTO staff ({_COLUMNS})"  # noqa: S608 - constants
    " VALUES (:operator_id, :name, :role, :pin_hash, :store_ids, :valid_from, :valid_to)"
    " ON CONFLICT (operator_id) DO UPDATE SET name = excluded.name, role = excluded.role,"
    " pin_hash = excluded.pin_hash, store_ids = excluded.store_ids,"
    " valid_from = excluded.valid_from, valid_to = excluded.valid_to"
)
# Written again when it is there already, so that a publication at the same time notices.
_DRAFT = text(
    "INSERT INTO staff_draft VALUES (:operator_id)"
    " ON CONFLICT (operator_id) DO UPDATE SET operator_id = excluded.operator_id"
)
_ADD_EVENT = text("""
    INSERT INTO master_event (at_ms, by, reason, kind, subject, before, after)
    VALUES (:at_ms, :by, :reason, 'staff', :subject,
            CAST(:before AS jsonb), CAST(:after AS jsonb))""")


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes an operator, when (UTC ms) and why."""

    name: str
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who works in some stores; `pin_hash` is an argon2id string.

    They may sign in from `valid_from` to `valid_to`, both inclusive, on the store's own calendar.
    """

    operator_id: str
    name: str
    role: str
    pin_hash: str
    store_ids: tuple[str, ...]
    valid_from: date | None = None
    valid_to: date | None = None


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
            "valid_from": operator.valid_from,
            "valid_to": operator.valid_to,
        },
    )
    connection.execute(_DRAFT, {"operator_id": operator.operator_id})


def add_event(
    connection: Connection, author: Author, subject: str, before: str | None, after: str
) -> None:
    """Keep who changed an operator; `before` and `after` are JSON."""
    connection.execute(
        _ADD_EVENT,
        {
            "at_ms": author.at_ms,
            "by": author.name,
            "reason": author.reason,
            "subject": subject,
            "before": before,
            "after": after,
        },
    )


def role_ids(connection: Connection, prefix: str) -> list[str]:
    """Ids of the roles that somebody has set up, whose settings' names begin so."""
    statement = text("SELECT DISTINCT name FROM config_row WHERE starts_with(name, :prefix)")
    found = connection.execute(statement, {"prefix": prefix})
    return [str(name).removeprefix(prefix) for (name,) in found]


def store_ids(connection: Connection) -> list[str]:
    """Every store."""
    found = connection.execute(text("SELECT store_id FROM store ORDER BY store_id"))
    return [str(store_id) for (store_id,) in found]


def _operators(connection: Connection, tail: str, operator_id: str = "") -> Iterator[Operator]:
    statement = text(
        f"SELECT {_COLUMNS} FROM staff {tail} ORDER BY operator_id"  # noqa: S608 - constants
    )
    parameters = {"operator_id": operator_id} if operator_id else {}
    for number, name, role, pin_hash, stores, *dates in connection.execute(statement, parameters):
        yield Operator(number, name, role, pin_hash, tuple(stores), *dates)
