"""What the box knows of members, in a file of its own that may be lost: head office tells it again.

Only `waiting` may not: it holds who joined here and is not known at head office yet, sealed.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from edge.sqlite import Step, Writer, connect_reader
from shared.kernel.errors import CorruptError
from shared.member.feed import KNOWN_MS, Feed, KnownMember
from shared.member.pseudonym import BoxKeys

MEMBERS_FILE = "members.db"
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_log = structlog.get_logger("member")
MIGRATIONS: tuple[Step, ...] = (
    """
    CREATE TABLE member(
        member TEXT PRIMARY KEY, phone_ref BLOB, digits TEXT NOT NULL, last_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX member_phone ON member(phone_ref);
    CREATE INDEX member_last ON member(last_at_ms);
    CREATE TABLE card(
        card_ref TEXT PRIMARY KEY, member TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX card_member ON card(member);
    CREATE TABLE chain(
        one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, place TEXT NOT NULL,
        salt BLOB NOT NULL, card_key BLOB NOT NULL, store_key BLOB NOT NULL,
        join_public BLOB NOT NULL
    ) STRICT;
    CREATE TABLE waiting(
        member TEXT PRIMARY KEY, sealed BLOB NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)
_PUT = (
    "INSERT INTO member(member, phone_ref, digits, last_at_ms) VALUES(?,?,?,?)"
    " ON CONFLICT(member) DO UPDATE SET phone_ref=excluded.phone_ref, digits=excluded.digits,"
    " last_at_ms=max(last_at_ms, excluded.last_at_ms)"
)


@dataclass(frozen=True, slots=True)
class Chain:
    """What the box hashes and seals with, and how far it was told."""

    epoch: str
    place: str
    keys: BoxKeys
    join_public: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who joined here, sealed for head office."""

    member: str
    sealed: bytes
    at_ms: int


class MemberStore:
    """The file; answers from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = Writer(path, "NORMAL")
        # A lane that shows a member does not wait while a piece of the list is written.
        self._reading = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._chain: Chain | None = None

    def open(self) -> None:
        """Open the file; one that is damaged begins anew, as head office can tell all of it."""
        try:
            self._open()
        except (CorruptError, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not _is_damage(error):
                raise
            self.close()
            for each in self._path.parent.glob(self._path.name + "*"):
                each.unlink()
            self._open()

    def _open(self) -> None:
        self._file.open(MIGRATIONS)
        with self._file.transaction() as connection:
            # What is erased is to be gone from the card, not only from the table.
            connection.execute("PRAGMA secure_delete=ON")
        self._reader = connect_reader(self._path)
        self._chain = self._read_chain()

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._reading:
            reader, self._reader = self._reader, None
            if reader is not None:  # first: the writer is the last one, and checkpoints
                reader.close()
        self._file.close()

    def chain(self) -> Chain | None:
        """Keys and place; None before head office told anything."""
        return self._chain

    def by_phone(self, phone_ref: str) -> str | None:
        """The id of who has that number."""
        rows = self._found(
            "SELECT member FROM member WHERE phone_ref=?", (bytes.fromhex(phone_ref),)
        )
        return str(rows[0][0]) if rows else None

    def by_card(self, card_ref: str) -> str | None:
        """The id of who has that card."""
        rows = self._found("SELECT member FROM card WHERE card_ref=?", (card_ref,))
        return str(rows[0][0]) if rows else None

    def digits(self, member: str) -> str:
        """The last digits of a member's number, "" where they are not known."""
        rows = self._found("SELECT digits FROM member WHERE member=?", (member,))
        return str(rows[0][0]) if rows else ""

    def count(self) -> int:
        """How many members this box knows."""
        return int(self._rows("SELECT count(*) FROM member")[0][0])

    def take(self, feed: Feed, now_ms: int) -> None:
        """Take a piece of the list; of another epoch it is the first of a new one."""
        known = self._chain
        chain = Chain(feed.epoch, feed.cursor, feed.keys, feed.join_public)
        with self._file.transaction() as connection:
            if known is None or known.epoch != feed.epoch:
                # Who joined here is told again by head office once it has heard of them.
                connection.execute("DELETE FROM card")
                connection.execute("DELETE FROM member")
            _put(connection, feed.members)
            if not feed.has_more:
                _forget(connection, now_ms)
            connection.execute(
                "INSERT OR REPLACE INTO chain VALUES(1,?,?,?,?,?,?)",
                (
                    chain.epoch,
                    chain.place,
                    chain.keys.salt,
                    chain.keys.card,
                    chain.keys.store,
                    chain.join_public,
                ),
            )
        self._chain = chain

    def put(self, members: Sequence[KnownMember]) -> None:
        """Know these members from now on."""
        with self._file.transaction() as connection:
            _put(connection, members)

    def joined(self, member: KnownMember, waiting: Waiting) -> None:
        """Know somebody who joined here, and keep what head office is to hear; survives a cut."""
        with self._file.transaction(is_synced=True) as connection:
            _put(connection, (member,))
            connection.execute(
                "INSERT OR REPLACE INTO waiting VALUES(?,?,?)",
                (waiting.member, waiting.sealed, waiting.at_ms),
            )

    def waiting(self) -> list[Waiting]:
        """Who joined here and is not known at head office yet, oldest first."""
        rows = self._rows("SELECT member, sealed, at_ms FROM waiting ORDER BY at_ms LIMIT 100")
        return [Waiting(*row) for row in rows]

    def brought(self, member: str, known: KnownMember | None) -> None:
        """Head office has taken somebody in, perhaps as who they were already; None: it has not.

        What was sealed goes, and so does an id that is not theirs.
        """
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM waiting WHERE member=?", (member,))
            if known is None or known.member_id != member:
                connection.execute("DELETE FROM member WHERE member=?", (member,))
            if known is not None:
                _put(connection, (known,))

    def _found(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The same; nothing where the file is damaged: selling goes on without members."""
        try:
            return self._rows(sql, parameters)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            _log.error("member.list_damaged", because=str(error))
            return []

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._reading:
            if self._reader is None:
                raise RuntimeError(f"{self._path.name} is not open")
            return self._reader.execute(sql, parameters).fetchall()

    def _read_chain(self) -> Chain | None:
        rows = self._rows("SELECT epoch, place, salt, card_key, store_key, join_public FROM chain")
        if not rows:
            return None
        epoch, place, salt, card, store, public = rows[0]
        return Chain(epoch, place, BoxKeys(salt, card, store), public)


def _forget(connection: sqlite3.Connection, now_ms: int) -> None:
    """Who was not in the store for long; of a clock that is far ahead nobody is forgotten."""
    newest = connection.execute("SELECT coalesce(max(last_at_ms), 0) FROM member").fetchone()[0]
    before = (min(now_ms, int(newest)) - KNOWN_MS,)
    old = "SELECT member FROM member WHERE last_at_ms<?"
    connection.execute(f"DELETE FROM card WHERE member IN ({old})", before)  # noqa: S608 - fixed text
    connection.execute("DELETE FROM member WHERE last_at_ms<?", before)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _put(connection: sqlite3.Connection, members: Iterable[KnownMember]) -> None:
    for each in members:
        connection.execute("DELETE FROM card WHERE member=?", (each.member_id,))
        if not each.is_active:
            connection.execute("DELETE FROM member WHERE member=?", (each.member_id,))
            continue
        ref = bytes.fromhex(each.phone_ref) or None
        connection.execute(_PUT, (each.member_id, ref, each.last_digits, each.last_at_ms))
        for card in each.cards:
            connection.execute("INSERT OR REPLACE INTO card VALUES(?,?)", (card, each.member_id))
