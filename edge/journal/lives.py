"""From one journal life to the next: what the old file says, and the new file with what goes along.

The new file is built beside, whole and synced, and then renamed: a power cut leaves the old life or
the new one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from edge.identity import sync_folder
from edge.journal.life_files import BUILDING, remove_side_files
from edge.journal.migrations import MIGRATIONS
from edge.journal.projections import (
    BusinessDay,
    Place,
    Projections,
    put_reports,
)
from edge.sqlite import connect_reader, connect_writer, migrate
from shared.journal.chain import entry_hash, genesis_hash, verify_chain
from shared.journal.entry import JournalEntry
from shared.journal.event import EntrySalvaged, Event
from shared.journal.life import FileEvidence, Position
from shared.kernel.errors import CorruptError, RefusedError, RetailError
from shared.till.z_report import ZReport
from shared.wire.codec import parse_body, parse_event

PUT_ENTRY = "INSERT INTO entry(seq, id, type, body, hash) VALUES(?,?,?,?,?)"
UNREADABLE_MAX = 200
"""So many entries of a tail may be unreadable, and those behind them are still looked for."""
DAMAGED = b"damaged: "
"""Stands before the body of a salvaged entry that is not what was once hashed."""
TAIL_CHECKED = 200
"""Entries whose chain is walked at each opening; `verify-journal` walks all."""
_log = structlog.get_logger("journal")
_PRIMARY_CODE = 0xFF
_DAMAGED = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNREADABLE = frozenset(
    {
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
        sqlite3.SQLITE_IOERR_DATA,
        sqlite3.SQLITE_IOERR_CORRUPTFS,
    }
)
_COLUMNS = "SELECT seq, id, type, body, hash FROM entry"


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the journal: number of its file, stream (hex), receipt series, when it began."""

    number: int
    stream: str
    ordinal: int
    series: str
    began_at_ms: int

    @property
    def stream_id(self) -> bytes:
        """The stream's 16 bytes."""
        return bytes.fromhex(self.stream)


@dataclass(frozen=True, slots=True)
class Heritage:
    """What a new life takes over; `tail` are the entries that nobody vouched for.

    `previous` is the last entry of the old stream that the cloud holds, None where that is not
    known. `members` are rows of `member_use`.
    """

    previous: Position | None = None
    gt: tuple[int, int] = (0, 0)
    boot: int = 0
    day: BusinessDay | None = None
    reports: dict[tuple[str, str], ZReport] = field(default_factory=dict)
    members: tuple[tuple[str, str, int, int], ...] = ()
    tail: tuple[JournalEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """An entry read again for the projections."""

    event: Event
    at: Place


def evidence_of(
    path: Path, mark: Position | None, before: Iterable[Path] = ()
) -> FileEvidence | None:
    """What a journal file says of itself; None when it is missing, damaged or cut short.

    `before` are the files of earlier lives.

    CorruptError `storage.newer` and the like pass: such a file is whole.
    """
    if not path.exists():
        return None
    try:
        with contextlib.closing(connect_reader(path)) as connection:
            found = _evidence(connection, mark)
    except (CorruptError, RefusedError, KeyError):
        return None
    except sqlite3.DatabaseError as error:
        code = error.sqlite_errorcode
        if code & _PRIMARY_CODE in _DAMAGED or code in _UNREADABLE:
            return None
        # A file that may not be opened, or a full disk, is no lost journal: somebody must
        # correct that.
        raise
    if found is None:
        return None
    streams = {stream for each in before if (stream := _stream_in(each)) is not None}
    return replace(found, before=found.before | streams)


def _stream_in(path: Path) -> str | None:
    with (
        contextlib.suppress(sqlite3.DatabaseError),
        contextlib.closing(connect_reader(path)) as connection,
    ):
        row = connection.execute("SELECT stream_id FROM stream").fetchone()
        return None if row is None else str(row[0].hex())
    return None


def _evidence(connection: sqlite3.Connection, mark: Position | None) -> FileEvidence | None:
    row = connection.execute("SELECT stream_id FROM stream").fetchone()
    genesis = connection.execute("SELECT body FROM entry WHERE seq=0").fetchone()
    if row is None or genesis is None:
        return None
    head_seq, _ = check_tail(connection, row[0])
    at_mark = None
    if mark is not None:
        at_mark = connection.execute("SELECT hash FROM entry WHERE seq=?", (mark.seq,)).fetchone()
        at_mark = (
            at_mark
            or connection.execute("SELECT hash FROM anchor WHERE seq=?", (mark.seq,)).fetchone()
        )
    opened = parse_body(genesis[0])["data"]
    previous = opened.get("previous")
    return FileEvidence(
        stream=row[0].hex(),
        head_seq=head_seq,
        hw_fp=opened["hw_fp"],
        hash_at_mark=at_mark and at_mark[0],
        before=frozenset() if previous is None else frozenset((previous["stream"],)),
    )


def check_tail(connection: sqlite3.Connection, stream: bytes) -> tuple[int, bytes]:
    """Walk the chain of the last entries: number and hash of the head, -1 for an empty journal."""
    tail = connection.execute(
        "SELECT seq, body, hash FROM entry ORDER BY seq DESC LIMIT ?", (TAIL_CHECKED + 1,)
    ).fetchall()[::-1]
    if not tail:
        return -1, genesis_hash(stream)
    head = genesis_hash(stream) if tail[0][0] == 0 else tail[0][2]
    if tail[0][0] == 0:
        head = verify_chain(stream, 0, head, [tail[0][1:]])
    seq = tail[0][0]
    for found, body, stated in tail[1:]:
        if found != seq + 1:
            head = _anchor_before(connection, found)
        seq = found
        head = verify_chain(stream, seq, head, [(body, stated)])
    return seq, head


def _anchor_before(connection: sqlite3.Connection, seq: int) -> bytes:
    """Hash before entry `seq`, where older ones were pruned; CorruptError `journal.gap`."""
    row = connection.execute("SELECT hash FROM anchor WHERE seq=?", (seq - 1,)).fetchone()
    if row is None:
        raise CorruptError("journal.gap", seq=seq - 1)
    found: bytes = row[0]
    return found


def life_of(connection: sqlite3.Connection, number: int) -> Life | None:
    """The life that a file says it is; None for a new file."""
    row = connection.execute(
        "SELECT stream_id, ordinal, series, began_at_ms FROM stream"
    ).fetchone()
    return None if row is None else Life(number, row[0].hex(), row[1], row[2], row[3])


def unprojected(connection: sqlite3.Connection) -> Iterator[Replayed]:
    """Entries that the tables beside `entry` do not know yet."""
    rows = connection.execute(
        "SELECT seq, type, body FROM entry WHERE seq>(SELECT seq FROM projected) ORDER BY seq"
    )
    for seq, kind, body in rows:
        raw = parse_body(body)
        yield Replayed(parse_event(kind, raw["data"]), Place(seq, raw["biz"], raw["till"]))


def heritage_of(path: Path, life: Life, salvage_from: int) -> Heritage:
    """What a readable file hands on, with its entries from `salvage_from` on."""
    connection = connect_reader(path)
    try:
        state = Projections.load(connection, life.series)
        state.replay(unprojected(connection))
        previous = connection.execute(
            "SELECT seq, hash FROM watermark WHERE name='acked'"
        ).fetchone()
        boot = connection.execute("SELECT ordinal FROM boot").fetchone()
        members = dict(_members(connection))
        for change in state.waiting:
            if change.bought is not None:
                change.bought.add_to(members)
        return Heritage(
            previous=Position(life.stream, *previous) if previous else None,
            gt=state.gt,
            boot=boot[0] if boot else 0,
            day=state.day,
            reports=dict(state.reports),
            members=tuple((*key, *counts) for key, counts in members.items()),
            tail=tuple(_tail(connection, life, salvage_from)),
        )
    finally:
        connection.close()


def tail_of(path: Path, life: Life, salvage_from: int) -> tuple[JournalEntry, ...]:
    """The entries from `salvage_from` on, of a file that hands on nothing else."""
    with contextlib.closing(connect_reader(path)) as connection:
        return tuple(_tail(connection, life, salvage_from))


def write_tables(writer: sqlite3.Connection, life: Life) -> None:
    """Fold what a kill left out of the tables: whoever looks a receipt up reads them."""
    state = Projections.load(writer, life.series)
    state.replay(unprojected(writer))
    writer.execute("BEGIN IMMEDIATE")
    state.write(writer)
    writer.execute("COMMIT")


def _tail(connection: sqlite3.Connection, life: Life, salvage_from: int) -> Iterator[JournalEntry]:
    """Entries to salvage; the body of a damaged one is marked, so that nobody books what it says.

    Behind a damaged entry the chain goes on from the hash that is stored of it.
    """
    row = connection.execute(
        "SELECT hash FROM entry WHERE seq=? UNION ALL SELECT hash FROM anchor WHERE seq=?",
        (salvage_from - 1, salvage_from - 1),
    ).fetchone()
    before = None if row is None else (salvage_from - 1, row[0])
    for row in _readable(connection, salvage_from):
        entry = JournalEntry(*row)
        is_next = before is not None and before[0] == entry.seq - 1
        if is_next and before is not None:
            computed = entry_hash(life.stream_id, entry.seq, before[1], entry.body)
            if computed != entry.hash:
                _log.error("journal.damaged_entry", stream=life.stream, seq=entry.seq)
                entry = replace(entry, body=DAMAGED + entry.body)
        before = (entry.seq, entry.hash)
        yield entry


def _readable(connection: sqlite3.Connection, seq: int) -> Iterator[tuple[Any, ...]]:
    """Rows from `seq` on; those that the card no longer gives are left out, up to a limit."""
    for _ in range(UNREADABLE_MAX):
        try:
            for row in connection.execute(_COLUMNS + " WHERE seq>=? ORDER BY seq", (seq,)):
                yield row
                seq = row[0] + 1
        except sqlite3.DatabaseError as error:
            _log.error("journal.unreadable_entry", seq=seq, because=str(error))
            seq += 1
        else:
            return


def put_entry(
    writer: sqlite3.Connection,
    row: tuple[int, str, str, bytes, bytes],
    tables: Callable[[sqlite3.Connection], None] | None = None,
) -> None:
    """Commit an entry, with what waits for the tables beside it where they are due.

    sqlite3.IntegrityError: the id is there already, and nothing was written.
    """
    if tables is None:  # one statement is a transaction of its own, and half the calls
        writer.execute(PUT_ENTRY, row)
        return
    writer.execute("BEGIN IMMEDIATE")
    try:
        writer.execute(PUT_ENTRY, row)
        tables(writer)
    except sqlite3.IntegrityError:
        writer.execute("ROLLBACK")
        raise
    writer.execute("COMMIT")


def _members(
    connection: sqlite3.Connection,
) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    for member, offer, uses, units in connection.execute(
        "SELECT member, offer, uses, units FROM member_use"
    ):
        yield (member, offer), (uses, units)


MakeBody = Callable[[int, str, Event, tuple[int, int]], bytes]
"""Number, id, event and grand totals of an entry of the new life -> its bytes."""


@dataclass(frozen=True, slots=True)
class Birth:
    """How a new life begins: its genesis, and how bodies are made under it."""

    life: Life
    genesis: Event
    genesis_id: str
    make_body: MakeBody


def build_life(path: Path, birth: Birth, heritage: Heritage) -> None:
    """Make the file of a new life: whole and durable at `path`, or not at all."""
    draft = path.with_name(path.name + BUILDING)
    remove_side_files(draft)
    writer = connect_writer(draft, "FULL")
    try:
        migrate(writer, MIGRATIONS)
        writer.execute("BEGIN IMMEDIATE")
        _write_life(writer, birth, heritage)
        writer.execute("COMMIT")
        # Everything into the one file that is renamed.
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except BaseException:
        writer.close()
        remove_side_files(draft)  # most likely the disk is full
        raise
    writer.close()
    draft.replace(path)
    sync_folder(path.parent)


def _write_life(writer: sqlite3.Connection, birth: Birth, heritage: Heritage) -> None:
    life = birth.life
    head = genesis_hash(life.stream_id)
    writer.execute(
        "INSERT INTO stream(stream_id, ordinal, genesis, series, began_at_ms) VALUES(?,?,?,?,?)",
        (life.stream_id, life.ordinal, head, life.series, life.began_at_ms),
    )
    writer.execute("INSERT INTO boot(one, ordinal) VALUES(1,?)", (heritage.boot,))
    put_reports(writer, heritage.reports, heritage.day)
    writer.executemany(
        "INSERT INTO member_use(member, offer, uses, units) VALUES(?,?,?,?)", heritage.members
    )
    seq = 0
    for seq, (entry_id, event) in enumerate(_first_events(birth, heritage)):
        body = birth.make_body(seq, entry_id, event, heritage.gt)
        head = entry_hash(life.stream_id, seq, head, body)
        writer.execute(PUT_ENTRY, (seq, entry_id, event.type, body, head))
    writer.execute("UPDATE projected SET seq=?", (seq,))


def _first_events(birth: Birth, heritage: Heritage) -> Iterable[tuple[str, Event]]:
    yield birth.genesis_id, birth.genesis
    old = heritage.previous.stream if heritage.previous else ""
    for entry in heritage.tail:
        raw: dict[str, Any] = {}
        with contextlib.suppress(RetailError):  # a damaged one goes along, for a person to read
            raw = parse_body(entry.body)
        if entry.type == EntrySalvaged.type and "data" in raw:
            yield entry.id, EntrySalvaged(**raw["data"])  # it has waited through more than one life
        else:
            body = entry.body.decode(errors="replace")
            stream = raw.get("stream", old)
            yield entry.id, EntrySalvaged(stream, entry.seq, entry.hash.hex(), body)
