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
    """What somebody holds of a journal: the first and the last entry, and the last one's hash."""

    stream: str
    first: int
    last: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of it is wanted, as ranges of first and last entry.

    The copies that were offered have arrived up to `acked` (-1 for none): they may be dropped.
    """

    stream: str
    acked: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class OwnJournal:
    """The box's own journal: its stream, the last acknowledged entry, an entry's hash."""

    stream: Callable[[], str]
    acked: Callable[[], int]
    hash_at: Callable[[int], bytes | None]


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
        """What of each offer is neither here nor in the cloud; the same order."""
        return [self._wanted(offer) for offer in offered]

    def has_arrived(self, stream: str, seq: int, entry_hash: bytes) -> bool:
        """Whether that very entry, and so all before it, is in the cloud or on its way there."""
        if stream == self._own.stream() and seq <= self._own.acked():
            return self._own.hash_at(seq) == entry_hash
        return self._store.has_arrived(stream, seq, entry_hash)

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
        """A hash stands for everything before it, so the last one tells all.

        With a number alone a restored image could pass off its own entry for a lost one.
        """
        if self.has_arrived(offer.stream, offer.last, offer.hash):
            return Wanted(offer.stream, offer.last, ())
        is_own = offer.stream == self._own.stream()
        if is_own and self._own.hash_at(offer.last) == offer.hash:
            return Wanted(offer.stream, self._own.acked(), ())  # goes up from the journal itself
        last = min(offer.last, offer.first + RANGE_MAX - 1)
        here = self._store.numbers(offer.stream, offer.first, last)
        return Wanted(offer.stream, -1, missing(offer.first, last, here))


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
