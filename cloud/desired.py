"""The desired document of each box, in parts: every room writes its own, one module puts together.

A part is changed by its owner alone; `gen` grows with each change, and `changed_no` lets the
announcer send what changed and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.db import lock_for_transaction, notify
from shared.kernel.clock import Clock
from shared.wire.signed import desired_statement, with_signature

CHANNEL = "tillbox_desired"
DESIRED_LOCK = 7_461_011
INCARNATION = "desired_incarnation"
"""Key in `deployment`: the life of the cloud in which documents were last numbered."""
GENS_SKIPPED = 1 << 20
"""More than a cloud can have announced between its backup and its end."""
SIGNED = "desired_signed"
"""Key in `deployment`: documents are signed."""
GOOD_MS = 15 * 86_400_000
DOCUMENT_COLUMNS = "d.gen, d.inc, d.catalog, d.next, d.software, d.commands, d.changed_at_ms"
"""What `document` takes, of `desired d`."""

_PUT = """
    INSERT INTO desired (dev, gen, {part}, changed_at_ms)
    SELECT told.dev, 1, CAST(told.part AS jsonb), :at_ms
    FROM unnest(CAST(:devs AS text[]), CAST(:parts AS text[])) told (dev, part)
    JOIN device ON device.dev = told.dev
    ORDER BY told.dev
    ON CONFLICT (dev) DO UPDATE SET gen = desired.gen + 1, {part} = excluded.{part},
        changed_no = nextval('desired_changed_no'), changed_at_ms = excluded.changed_at_ms
    WHERE desired.{part} IS DISTINCT FROM excluded.{part}"""


class DesiredPart(StrEnum):
    """The parts that rooms beside the publication write; the values are columns of `desired`."""

    SOFTWARE = "software"
    COMMANDS = "commands"


_SEEN_INC = text("SELECT value FROM deployment WHERE key = :key")
_KEEP_INC = text("""
    INSERT INTO deployment (key, value) VALUES (:key, :inc)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value""")
_SKIP = text("""
    UPDATE desired SET gen = gen + :skipped, changed_no = nextval('desired_changed_no'),
        changed_at_ms = greatest(changed_at_ms, CAST(extract(epoch FROM now()) * 1000 AS bigint))
    """)
_TOUCH = text("""
    UPDATE desired SET gen = gen + 1, changed_no = nextval('desired_changed_no'),
        changed_at_ms = :at_ms WHERE dev = :dev""")
_STATEMENTS = {part: text(_PUT.format(part=part.value)) for part in DesiredPart}


def desire_parts(
    connection: Connection, part: DesiredPart, wanted: Mapping[str, Any], at_ms: int
) -> int:
    """Let boxes (device ids) want this; None for nothing. Returns how many documents changed.

    `software` is one object as in DesiredSoftware, `commands` a list of DesiredCommand, both as
    JSON values. One statement for any number of boxes; the announcement goes out with the commit.
    Call it last in a transaction: whoever changes another box's document waits for its end.
    """
    if not wanted:
        return 0
    lock_changes(connection)
    parts = wanted.values()
    values = {
        "devs": list(wanted),
        "parts": [None if each is None else orjson.dumps(each).decode() for each in parts],
        "at_ms": at_ms,
    }
    changed = connection.execute(_STATEMENTS[part], values).rowcount
    if changed:
        announce(connection)
    return int(changed)


def renew(connection: Connection, inc: str) -> bool:
    """Begin a new life of the cloud: boxes may know later documents than it remembers.

    Every document gets a number that none had before, so that no box takes the next one for old
    news. Returns whether `inc` is new; once per life something is changed.
    """
    before = _seen_incarnation(connection)
    if before == inc:
        return False
    lock_changes(connection)
    before = _seen_incarnation(connection)
    if before == inc:  # another worker was faster
        return False
    connection.execute(_KEEP_INC, {"key": INCARNATION, "inc": inc})
    if before is not None:
        connection.execute(_SKIP, {"skipped": GENS_SKIPPED})
        announce(connection)
    return before is not None


def touch(connection: Connection, dev: str, at_ms: int) -> None:
    """Give a box's document another number: its status changes, and an old one is none."""
    lock_changes(connection)
    connection.execute(_TOUCH, {"dev": dev, "at_ms": at_ms})


def _seen_incarnation(connection: Connection) -> str | None:
    seen: str | None = connection.execute(_SEEN_INC, {"key": INCARNATION}).scalar_one_or_none()
    return seen


def lock_changes(connection: Connection) -> None:
    """Change documents one transaction at a time.

    So numbers of changes are committed in the order in which they are taken, and an announcer
    that has seen number n has missed nothing below it.
    """
    lock_for_transaction(connection, DESIRED_LOCK)


def announce(connection: Connection) -> None:
    """Have what changed announced once the transaction commits."""
    notify(connection, CHANNEL, "")


def document(row: Sequence[Any]) -> dict[str, Any]:
    """The document of a row of `DOCUMENT_COLUMNS`; parts that say nothing are left out."""
    gen, inc, catalog, later, software, commands, at_ms = row
    parts: dict[str, Any] = {"next": later, "software": software, "commands": commands}
    said = {name: part for name, part in parts.items() if part}
    return {"v": 1, "gen": gen, "inc": inc, "catalog": catalog, "at": at_ms, **said}


@dataclass(frozen=True, slots=True)
class Letter:
    """Makes a document what is sent to its box."""

    sign: Callable[[bytes], bytes]
    clock: Clock

    def bytes_of(self, dev: str, told: Mapping[str, Any]) -> bytes:
        """The signed bytes for a device."""
        body = orjson.dumps({**told, "dev": dev, "not_after": self.until_ms()})
        return with_signature(body, self.sign(desired_statement(body)))

    def until_ms(self) -> int:
        """Until when a document that is signed now may be gone by, UTC ms: 30 to 45 days.

        It changes every 15 days only: announced again in between, a document is the same bytes.
        """
        return (self.clock.now_ms() // GOOD_MS + 3) * GOOD_MS


def demand_signatures(connection: Connection) -> None:
    """Note that documents are signed here: boxes that enrol from now on take no others."""
    connection.execute(_KEEP_INC, {"key": SIGNED, "inc": "1"})


def are_signed(connection: Connection) -> bool:
    """Whether documents are signed here."""
    return connection.execute(_SEEN_INC, {"key": SIGNED}).scalar_one_or_none() is not None
