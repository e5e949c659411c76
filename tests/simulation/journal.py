"""A box's journal as a model: lives, entries, the real hash chain; a disk that can be copied."""

from __future__ import annotations

from typing import NamedTuple

from shared.journal.chain import entry_hash, genesis_hash
from shared.sale.receipt_no import series_of

NO_SEQ = -1


class Entry(NamedTuple):
    """An entry; `kind` is s(ale), p(oison sale), n(ote), o(pened) or v (salvaged)."""

    seq: int
    id: str
    kind: str
    body: bytes
    hash: bytes
    at_ms: int


class Life:
    """One journal life: a file with one stream.  `base` is the first entry not pruned away."""

    __slots__ = (
        "acked",
        "anchor",
        "base",
        "entries",
        "first_hash",
        "hex",
        "inc",
        "receipts",
        "safe",
        "series",
        "stream",
    )

    def __init__(self, stream: bytes, series: str) -> None:
        self.stream = stream
        self.hex = stream.hex()
        self.series = series
        self.entries: list[Entry] = []
        self.base = 0
        self.anchor = genesis_hash(stream)
        self.first_hash: bytes | None = None
        self.inc = ""
        """Incarnation of the cloud that `acked` speaks of."""
        self.acked = NO_SEQ
        self.safe = NO_SEQ
        self.receipts = 0

    @property
    def head(self) -> int:
        """Number of the last entry."""
        return self.base + len(self.entries) - 1

    @property
    def head_hash(self) -> bytes:
        """Hash of the last entry."""
        return self.entries[-1].hash if self.entries else self.anchor

    def hash_at(self, seq: int) -> bytes | None:
        """Hash of an entry; None for one that was pruned away or is not there yet."""
        place = seq - self.base
        if place == NO_SEQ:
            return self.anchor
        if 0 <= place < len(self.entries):
            return self.entries[place].hash
        return self.first_hash if seq == 0 else None  # entry 0 is never pruned

    def append(self, entry_id: str, kind: str, rest: str, at_ms: int) -> Entry:
        """Add an entry; on return it is durable."""
        seq, body = self.head + 1, f"{kind}|{entry_id}|{rest}".encode()
        made = entry_hash(self.stream, seq, self.head_hash, body)
        entry = Entry(seq, entry_id, kind, body, made, at_ms)
        self.entries.append(entry)
        self.first_hash = self.first_hash or made
        if kind in "sp":
            self.receipts += 1
        return entry

    def since(self, seq: int, limit: int | None = None) -> list[Entry]:
        """Entries from `seq` on."""
        first = max(seq - self.base, 0)
        return self.entries[first : None if limit is None else first + limit]

    def prune(self, upto: int) -> list[Entry]:
        """Drop entries up to and with `upto`; the hash of the last one stays as an anchor."""
        count = upto - self.base + 1
        gone = self.entries[:count]
        self.anchor = gone[-1].hash
        del self.entries[:count]
        self.base = upto + 1
        return gone

    def copy(self) -> Life:
        """The same life on another disk."""
        twin = Life(self.stream, self.series)
        twin.entries = list(self.entries)
        for name in ("base", "anchor", "acked", "first_hash", "inc", "safe", "receipts"):
            setattr(twin, name, getattr(self, name))
        return twin


class Disk:
    """What survives a power cut: all lives, by which hardware, and a mark beside the journal."""

    __slots__ = ("hardware", "ids", "lives", "mark")

    def __init__(self, hardware: str, first: Life) -> None:
        self.hardware = hardware
        self.lives = [first]
        self.ids: dict[str, tuple[Life, Entry, int]] = {}
        self.mark: tuple[bytes, int] | None = None

    @property
    def life(self) -> Life:
        """The current one."""
        return self.lives[-1]

    def append(self, entry_id: str, kind: str, rest: str, at_ms: int) -> Entry:
        """Add to the current life; the same id must not be there yet."""
        life = self.life
        entry = life.append(entry_id, kind, rest, at_ms)
        self.ids[entry_id] = (life, entry, life.receipts)
        return entry

    def drop_newest(self) -> Entry:
        """Lose the newest entry of the current life, as an unsynced write is lost."""
        life = self.life
        gone = life.entries.pop()
        if gone.kind in "sp":
            life.receipts -= 1
        del self.ids[gone.id]
        return gone

    def copy(self) -> Disk:
        """An image of it."""
        lives = [life.copy() for life in self.lives]
        twin = {life.stream: life for life in lives}
        image = Disk(self.hardware, lives[0])
        image.lives = lives
        image.ids = {
            entry_id: (twin[life.stream], entry, number)
            for entry_id, (life, entry, number) in self.ids.items()
        }
        image.mark = self.mark
        return image


def new_life(stream: bytes, *, is_first: bool) -> Life:
    """An empty life; all but a store's first number their receipts in a series of their own."""
    return Life(stream, "" if is_first else series_of(stream.hex()))
