"""What the staff room keeps in `desk.db`, so that a restarted box still knows it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.sqlite import Writer

SESSIONS_PER_LANE = 8
SCREENS_PER_LANE = 16
BEFORE_KEPT = 8
TALLY_DAYS = 3


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

    def screens(self) -> list[tuple[bytes, int]]:
        """Token hash and lane of every screen on which somebody has signed in by PIN."""
        return [
            (row[0], row[1]) for row in self._database.rows("SELECT token_sha256, lane FROM screen")
        ]

    def put_screen(self, token_sha256: bytes, lane: int) -> None:
        """Know a screen again; the oldest of the lane are forgotten."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO screen(token_sha256, lane) VALUES(?,?)",
                (token_sha256, lane),
            )
            connection.execute(
                "DELETE FROM screen WHERE lane=?1 AND n NOT IN"
                " (SELECT n FROM screen WHERE lane=?1 ORDER BY n DESC LIMIT ?2)",
                (lane, SCREENS_PER_LANE),
            )


@dataclass(frozen=True, slots=True)
class OwnPin:
    """A PIN that its operator chose at this box; `before` are hashes of the ones it came after."""

    pin_hash: str
    before: tuple[str, ...]
    day: str


class PinStore:
    """PINs that were chosen here, until head office publishes them, and wrong ones in a row."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def own(self, operator: str) -> OwnPin | None:
        """The PIN that an operator chose here."""
        rows = self._database.rows(
            "SELECT pin_hash, before, day FROM pin WHERE operator=?", (operator,)
        )
        return OwnPin(rows[0][0], tuple(json.loads(rows[0][1])), rows[0][2]) if rows else None

    def put(self, operator: str, pin: OwnPin) -> None:
        """Keep a PIN; a power cut cannot take it back."""
        before = json.dumps(list(pin.before[-BEFORE_KEPT:]))
        with self._database.transaction(is_synced=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO pin VALUES(?,?,?,?)",
                (operator, pin.pin_hash, before, pin.day),
            )

    def failures(self) -> dict[tuple[str, str], int]:
        """Wrong PINs in a row, by operator and place."""
        rows = self._database.rows("SELECT operator, place, times FROM wrong_pin")
        return {(row[0], row[1]): row[2] for row in rows}

    def put_failures(self, operator: str, place: str, times: int) -> None:
        """So many in a row; 0 forgets them."""
        with self._database.transaction() as connection:
            if times:
                connection.execute(
                    "INSERT OR REPLACE INTO wrong_pin VALUES(?,?,?)", (operator, place, times)
                )
            else:
                connection.execute(
                    "DELETE FROM wrong_pin WHERE operator=? AND place=?", (operator, place)
                )


class DayTally:
    """What an operator did on the business day; see `edge.sale.shop.Tally`."""

    def __init__(self, database: Writer, day: Callable[[], str]) -> None:
        self._database = database
        self._day = day
        self.turn = threading.RLock()

    def times(self, permission: str, operator: str) -> int:
        """How often so far."""
        rows = self._database.rows(
            "SELECT times FROM tally WHERE day=? AND permission=? AND operator=?",
            (self._day(), permission, operator),
        )
        return int(rows[0][0]) if rows else 0

    def add(self, permission: str, operator: str) -> None:
        """Once more."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO tally VALUES(?,?,?,1)"
                " ON CONFLICT(day, permission, operator) DO UPDATE SET times=times+1",
                (self._day(), permission, operator),
            )
            connection.execute(
                "DELETE FROM tally WHERE day NOT IN"
                " (SELECT DISTINCT day FROM tally ORDER BY day DESC LIMIT ?)",
                (TALLY_DAYS,),
            )

    def minor(self, permission: str, operator: str, but: str) -> int:
        """Minor units so far, of all baskets but one."""
        rows = self._database.rows(
            "SELECT coalesce(sum(amount_minor), 0) FROM taken_off"
            " WHERE day=? AND permission=? AND operator=? AND basket<>?",
            (self._day(), permission, operator, but),
        )
        return int(rows[0][0])

    def put(self, basket: str, sums: Mapping[tuple[str, str], int]) -> None:
        """What was taken off a basket, by permission and who answers for it; most have nothing."""
        wanted = {key: minor for key, minor in sums.items() if minor}
        rows = self._database.rows(
            "SELECT permission, operator, amount_minor FROM taken_off WHERE basket=?", (basket,)
        )
        if {(row[0], row[1]): row[2] for row in rows} == wanted:
            return
        day = self._day()
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM taken_off WHERE basket=?", (basket,))
            connection.executemany(
                "INSERT INTO taken_off VALUES(?,?,?,?,?)",
                [(day, *key, basket, minor) for key, minor in wanted.items()],
            )
            connection.execute(
                "DELETE FROM taken_off WHERE day NOT IN"
                " (SELECT DISTINCT day FROM taken_off ORDER BY day DESC LIMIT ?)",
                (TALLY_DAYS,),
            )


def token_sha256(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
