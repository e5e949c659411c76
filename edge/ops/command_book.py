"""What this box has done of head office's commands: written down before it is done; in desk.db.

A command that is in the book is never begun again, whatever came of it. That it is written with a
sync of its own makes it hold over a power cut as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.sqlite import Writer
from shared.wire.message import CommandResult, DesiredCommand

BEGUN = "begun"
KEPT_MAX, KEPT_MS = 500, 120 * 86_400_000
"""Commands whose result head office has are forgotten beyond so many, once they are so old."""
HOUR_MS, HOURLY_MAX = 3_600_000, 200
"""Commands begun in an hour, of all kinds: who has the broker must not fill the disk with them."""
_COUNT = (
    "SELECT count(*), count(*) FILTER (WHERE kind=?1 AND state NOT IN ('expired', 'refused'))"
    " FROM (SELECT kind, state, at_ms FROM command ORDER BY n DESC LIMIT ?2)"
    " WHERE at_ms BETWEEN ?3 AND ?4"
)
_COLUMNS = "id, kind, state, at_ms, code, detail, object, told, is_known"


@dataclass(frozen=True, slots=True)
class Done:
    """A command in the book: `state` is `begun` or what became of it, `at_ms` UTC since when.

    `told` counts how often its result was sent, `is_known` that head office has it.
    """

    id: str
    kind: str
    state: str
    at_ms: int
    code: str = ""
    detail: str = ""
    object: str = ""
    told: int = 0
    is_known: bool = False

    @property
    def result(self) -> CommandResult:
        """What head office is told."""
        return CommandResult(self.id, self.state, self.at_ms, self.code, self.detail, self.object)


class CommandBook:
    """Rows of `command`."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def begin(self, command: DesiredCommand, at_ms: int) -> bool:
        """Note that a command is about to be done; False when it is in the book already."""
        with self._database.transaction(is_synced=True) as connection:
            added = connection.execute(
                "INSERT INTO command(id, kind, state, at_ms) VALUES(?,?,?,?)"
                " ON CONFLICT(id) DO NOTHING",
                (command.id, command.kind, BEGUN, at_ms),
            )
            return added.rowcount == 1

    def finish(self, done: Done) -> None:
        """Note what became of it; a result that is there stays."""
        with self._database.transaction(is_synced=True) as connection:
            connection.execute(
                "UPDATE command SET state=?, at_ms=?, code=?, detail=?, object=?"
                " WHERE id=? AND state=?",
                (done.state, done.at_ms, done.code, done.detail, done.object, done.id, BEGUN),
            )

    def find(self, command_id: str) -> Done | None:
        """A command, if it is in the book."""
        found = self._rows("WHERE id=?", command_id)
        return found[0] if found else None

    def has_room(self, kind: str, hourly: int, now_ms: int) -> bool:
        """Whether another command of a kind, of which `hourly` are done in an hour, may begin."""
        rows = self._database.rows(_COUNT, (kind, HOURLY_MAX, now_ms - HOUR_MS, now_ms))
        of_all, of_kind = rows[0]
        return bool(of_all < HOURLY_MAX and of_kind < hourly)

    def begun(self) -> list[Done]:
        """Commands without a result, the oldest first."""
        return self._rows("WHERE state=? ORDER BY n", BEGUN)

    def untold(self) -> list[Done]:
        """Results that head office may not have, the oldest first."""
        return self._rows("WHERE state<>? AND NOT is_known ORDER BY n", BEGUN)

    def told(self, done: Done) -> Done:
        """Count that a result was sent."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE command SET told=told+1 WHERE id=?", (done.id,))
        return replace(done, told=done.told + 1)

    def known(self, command_id: str, now_ms: int) -> None:
        """Note that head office has a result, and forget what is old."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE command SET is_known=1 WHERE id=?", (command_id,))
            connection.execute(
                "DELETE FROM command WHERE is_known AND at_ms < ?1 AND n NOT IN"
                " (SELECT n FROM command ORDER BY n DESC LIMIT ?2)",
                (now_ms - KEPT_MS, KEPT_MAX),
            )

    def _rows(self, where: str, value: str) -> list[Done]:
        with self._database.transaction() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM command {where}", (value,))  # noqa: S608 - both parts are ours
            return [replace(Done(*row), is_known=bool(row[-1])) for row in rows]
