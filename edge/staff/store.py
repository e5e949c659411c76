"""Sessions in `desk.db`, so that a restarted box still knows its tills."""

from __future__ import annotations

import hashlib

from edge.sqlite import Writer

SESSIONS_PER_LANE = 8


class SessionStore:
    """Tokens are kept as SHA-256 only."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def all(self) -> list[tuple[bytes, int, str]]:
        """Token hash, lane and operator of every session."""
        rows = self._database.rows("SELECT token_sha256, lane, operator FROM session")
        return [(row[0], row[1], row[2]) for row in rows]

    def put(self, token_sha256: bytes, lane: int, operator: str) -> None:
        """Keep a session; another operator's sessions at the lane end, and so do old ones."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM session WHERE lane=? AND operator<>?", (lane, operator))
            connection.execute(
                "INSERT INTO session(token_sha256, lane, operator) VALUES(?,?,?)",
                (token_sha256, lane, operator),
            )
            connection.execute(
                "DELETE FROM session WHERE lane=?1 AND n NOT IN"
                " (SELECT n FROM session WHERE lane=?1 ORDER BY n DESC LIMIT ?2)",
                (lane, SESSIONS_PER_LANE),
            )

    def drop_lane(self, lane: int) -> None:
        """End every session of a lane."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM session WHERE lane=?", (lane,))


def token_sha256(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
