"""SQL of operators. Reads `store`, `config_row` beside its table, adds to `master_event`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Connection, text

_NAMES = (
    "operator_id", "name", "role", "pin_hash", "store_ids", "valid_from", "valid_to", "pin_day",
    "is_first_pin", "badge_key", "badge_hash",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES)
_VALUES = ", ".join(f":{name}" for name in _NAMES)
_NEW = ", ".join(f"{name} = excluded.{name}" for name in _NAMES[1:])
_PUT = text(
    f"INSERT INTO staff ({_COLUMNS}) VALUES ({_VALUES})"  # noqa: S608 - constants
    f" ON CONFLICT (operator_id) DO UPDATE SET {_NEW}"
)
# Written again when it is there already, so that a publication at the same time notices.
_DRAFT = text(
    "INSERT INTO staff_draft VALUES (:operator_id)"
    " ON CONFLICT (operator_id) DO UPDATE SET operator_id = excluded.operator_id"
)
_WAITING = text("""
    SELECT operator_id, (
        SELECT by FROM master_event WHERE kind = 'staff' AND subject = operator_id
        ORDER BY id DESC LIMIT 1)
    FROM staff_draft ORDER BY operator_id LIMIT :most""")
_ADD_EVENT = text("""
    INSERT INTO master_event (at_ms, by, reason, kind, subject, before, after)
    VALUES (:at_ms, :by, :reason, 'staff', :subject,
            CAST(:before AS jsonb), CAST(:after AS jsonb))""")


_SEEN = text("""
    SELECT DISTINCT ON (operator_id) operator_id, last_at_ms, store_id,
        max(guessed_at_ms) OVER (PARTITION BY operator_id),
        max(guessed_tries) OVER (PARTITION BY operator_id)
    FROM staff_seen ORDER BY operator_id, last_at_ms DESC NULLS LAST""")


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
    `pin_day` is when the PIN was set; `is_first_pin`: by somebody else. Of a badge only a keyed
    hash is kept (hex).
    """

    operator_id: str
    name: str
    role: str
    pin_hash: str
    store_ids: tuple[str, ...]
    valid_from: date | None = None
    valid_to: date | None = None
    pin_day: date | None = None
    is_first_pin: bool = False
    badge_key: str | None = None
    badge_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """When an operator last took a till (UTC ms), where, and the newest guessing at their PIN."""

    at_ms: int | None
    store_id: str
    guessed_at_ms: int | None
    guessed_tries: int | None


def operators(connection: Connection) -> Iterator[Operator]:
    """Everybody, by id."""
    return _operators(connection, "")


def drafts(connection: Connection) -> Iterator[Operator]:
    """Those who changed since they were last published."""
    return _operators(connection, "JOIN staff_draft USING (operator_id)")


def waiting(connection: Connection, most: int) -> list[tuple[str, str]]:
    """Some of those who changed since they were last published, each with who changed them."""
    found = connection.execute(_WAITING, {"most": most})
    return [(str(operator_id), str(by or "")) for operator_id, by in found]


def find_operator(connection: Connection, operator_id: str) -> Operator | None:
    """The operator with that id, whom nobody else changes before the transaction ends."""
    return next(_operators(connection, "WHERE operator_id = :operator_id", operator_id), None)


def put_operator(connection: Connection, operator: Operator) -> None:
    """Add or replace an operator; the change is published by itself."""
    connection.execute(_PUT, {**asdict(operator), "store_ids": list(operator.store_ids)})
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


def seen(connection: Connection) -> dict[str, Seen]:
    """When everybody was last at a till; whoever never was is left out."""
    return {operator_id: Seen(*facts) for operator_id, *facts in connection.execute(_SEEN)}


def badges(connection: Connection) -> list[tuple[str, str, str]]:
    """Operator, key and hash of every badge."""
    rows = connection.execute(
        text("SELECT operator_id, badge_key, badge_hash FROM staff WHERE badge_hash IS NOT NULL")
    )
    return [(operator_id, key, kept) for operator_id, key, kept in rows]


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
        + (" FOR UPDATE" if operator_id else "")
    )
    parameters = {"operator_id": operator_id} if operator_id else {}
    for number, name, role, pin_hash, stores, *rest in connection.execute(statement, parameters):
        yield Operator(number, name, role, pin_hash, tuple(stores), *rest)
