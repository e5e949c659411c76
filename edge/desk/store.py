"""What a lane needs to come back after the process was killed."""

from __future__ import annotations

import json
import sqlite3

from pydantic import TypeAdapter, ValidationError

from edge.desk.state import CommandResult, LaneState
from edge.sqlite import Writer
from shared.kernel.errors import CorruptError

_STATE = TypeAdapter(LaneState)
_PUT_LANE = (
    "INSERT INTO lane(lane, seq, state) VALUES(?,?,?) ON CONFLICT(lane)"
    " DO UPDATE SET seq=excluded.seq, state=excluded.state, pending_key=NULL"
)
_PUT_RESULT = "INSERT OR IGNORE INTO result(lane, key, seq, receipt_no) VALUES(?,?,?,?)"
_DROP_RESULTS = (
    "DELETE FROM result WHERE lane=? AND n<=(SELECT max(n) FROM result) - ?"  # of all lanes
)
RESULTS_KEPT = 256
"""Idempotency keys that are remembered, over all lanes: minutes of work, retries take seconds."""


class DeskStore:
    """Lanes in `desk.db`; each lane's worker calls it for its own lane."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def load(self, lane: int) -> tuple[LaneState, str | None]:
        """A lane's saved state and the key of a command that was cut off while it wrote a sale."""
        rows = self._database.rows("SELECT state, pending_key FROM lane WHERE lane=?", (lane,))
        if not rows:
            return LaneState(lane), None
        try:
            return _STATE.validate_json(rows[0][0]), rows[0][1]
        except ValidationError as error:
            raise CorruptError("desk.state", lane=lane) from error

    def save(
        self, state: LaneState, key: str | None, result: CommandResult, *, is_synced: bool = False
    ) -> None:
        """Keep state and answer together, so that neither is there without the other.

        With `is_synced` a power cut cannot take it back.
        """
        payload = _STATE.dump_json(state)
        with self._database.transaction(is_synced=is_synced) as connection:
            connection.execute(_PUT_LANE, (state.lane, state.seq, payload))
            if key is not None:
                _put_result(connection, state.lane, key, result)

    def mark_pending(self, lane: int, key: str) -> None:
        """Note, for good, the key of a command that is about to write a sale into the journal.

        With the basket as it stands: after a power cut a sale in the journal would otherwise be
        one that the lane does not know, and the till that asks again would be refused.
        """
        with self._database.transaction(is_synced=True) as connection:
            connection.execute("UPDATE lane SET pending_key=? WHERE lane=?", (key, lane))

    def result(self, lane: int, key: str) -> CommandResult | None:
        """The first answer to a command, while it is remembered."""
        rows = self._database.rows(
            "SELECT seq, receipt_no FROM result WHERE lane=? AND key=?", (lane, key)
        )
        return CommandResult(*rows[0]) if rows else None


def _put_result(connection: sqlite3.Connection, lane: int, key: str, result: CommandResult) -> None:
    connection.execute(_PUT_RESULT, (lane, key, result.seq, result.receipt_no))
    connection.execute(_DROP_RESULTS, (lane, RESULTS_KEPT))


def state_fields(state: LaneState) -> dict[str, object]:
    """A lane's state as plain data, for diagnosis."""
    fields: dict[str, object] = json.loads(_STATE.dump_json(state))
    return fields
