"""Taking in copies of another journal: what is wanted, and what is good enough to keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.copy.keys import KnownKeys
from edge.copy.store import SalvageStore
from edge.identity import PreviousStream
from shared.journal.carbon import Carbon, check_carbon, read_carbon
from shared.kernel.errors import CorruptError, RefusedError

RANGE_MAX = 100_000
"""A range above this is asked for piece by piece: it comes from a page, and makes a list here."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What somebody holds of a journal: the first and the last entry."""

    stream: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of it is wanted, as ranges of first and last entry.

    `acked` is the last entry that the cloud is known to hold (-1 for none): copies up to it may
    be dropped everywhere.
    """

    stream: str
    acked: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class OwnJournal:
    """The box's own journal: its stream, and the numbers of its last and last acked entry."""

    stream: Callable[[], str]
    head: Callable[[], int]
    acked: Callable[[], int]


class Intake:
    """The one way into `salvage.db`; `on_new` is told when something new is in."""

    def __init__(
        self,
        store: SalvageStore,
        own: OwnJournal,
        keys: KnownKeys,
        on_new: Callable[[], None],
    ) -> None:
        self._store = store
        self._own = own
        self._keys = keys
        self._on_new = on_new

    def know(self, previous: Iterable[PreviousStream]) -> None:
        """Note where the cloud stood with the journals before this box's own."""
        for each in previous:
            self._store.know(each.stream, each.seq, bytes.fromhex(each.hash))

    def wanted(self, offered: Sequence[Offered]) -> list[Wanted]:
        """What of each offer is neither here nor in the cloud."""
        return [self._wanted(offer) for offer in offered]

    def acked(self, stream: str) -> int:
        """The last entry of a journal that the cloud is known to hold, -1 for none."""
        return self._own.acked() if stream == self._own.stream() else self._store.head(stream)

    def take_in(self, lines: bytes) -> int:
        """Check copies (JSON lines) and keep them, all or none; how many were new.

        Raises RefusedError `carbon.line`, `carbon.too_large`, CorruptError `carbon.hash`,
        `carbon.signature`, `carbon.chain` or `salvage.fork`, each with the `seq`.
        """
        carbons = [read_carbon(line) for line in lines.split(b"\n") if line]
        if not carbons:
            raise RefusedError("carbon.line")
        check_run(carbons, self._keys)
        new = self._store.add(carbons)
        if new:
            self._on_new()
        return new

    def _wanted(self, offer: Offered) -> Wanted:
        acked = self.acked(offer.stream)
        is_own = offer.stream == self._own.stream()
        # What this box's own journal holds goes up from there.
        known = self._own.head() if is_own else acked
        first = max(offer.first, known + 1)
        last = min(offer.last, first + RANGE_MAX - 1)
        if first > last:
            return Wanted(offer.stream, acked, ())
        here = self._store.numbers(offer.stream, first, last)
        return Wanted(offer.stream, acked, missing(first, last, here))


def missing(first: int, last: int, here: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ranges of `first` to `last` that are not in `here` (ascending)."""
    ranges: list[tuple[int, int]] = []
    at = first
    for seq in here:
        if seq > at:
            ranges.append((at, seq - 1))
        at = seq + 1
    if at <= last:
        ranges.append((at, last))
    return tuple(ranges)


def check_run(carbons: Sequence[Carbon], keys: KnownKeys) -> None:
    """CorruptError `carbon.hash`, `carbon.signature` or `carbon.chain` with the first bad `seq`."""
    before: Carbon | None = None
    for carbon in carbons:
        check_carbon(carbon, keys.verify)
        is_next = (
            before is not None and before.stream == carbon.stream and before.seq + 1 == carbon.seq
        )
        if is_next and before is not None and before.hash != carbon.prev:
            raise CorruptError("carbon.chain", seq=carbon.seq)
        before = carbon
