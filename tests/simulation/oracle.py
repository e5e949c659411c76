"""What must hold after every step.  The oracle knows everything, the system under test nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.simulation.agenda import Agenda
from tests.simulation.journal import Disk, Entry, Life

if TYPE_CHECKING:
    from tests.simulation.cloud import Cloud

CARBON_LAG_MS = 3_000
"""The till page has a second copy of a sale this long after it was booked, at the latest."""
SENDS_PER_WINDOW_MAX = 30
SEND_WINDOW_MS = 60_000


class ViolationError(AssertionError):
    """An invariant does not hold; `rule` names it."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


class Oracle:
    """Keeps what was promised to people and checks what the system makes of it.

    With `is_patient` nothing is said before the end: then only what HQ lost or doubled counts.
    """

    def __init__(self, agenda: Agenda, *, is_patient: bool = False) -> None:
        self._agenda = agenda
        self._is_patient = is_patient
        self.promised: dict[str, int] = {}
        self.receipts: dict[tuple[str, str, int], str] = {}
        self.written: dict[tuple[bytes, int], set[bytes]] = {}
        self.uncopied: set[str] = set()
        """Sales whose second copy a power cut prevented, until the box is up again."""
        self.off_disk: set[str] = set()
        """Entries of disks that were lost or set back: the cloud's copy may be the only one."""
        self.taken_back: set[str] = set()
        """What a restore of the database has taken from it: the boxes' copies may be the only
        ones until they bring them again."""
        self.burnt: Counter[str] = Counter()
        self._lost_for_good: set[str] = set()
        self._sends: dict[tuple[str, bytes, int], list[int]] = {}

    def check(self, *, holds: bool, rule: str, what: object = "") -> None:
        """Raise ViolationError when a rule does not hold."""
        if not holds and not self._is_patient:
            raise ViolationError(rule, str(what))

    def wrote(self, life: Life, entry: Entry) -> None:
        """An entry became durable on a box."""
        self.written.setdefault((life.stream, entry.seq), set()).add(entry.hash)

    def promise(
        self, store: str, entry_id: str, number: tuple[str, int], *, is_known: bool
    ) -> None:
        """The cashier saw `paid` and the customer has the receipt.

        `is_known` is False on a disk that lives in the past without having a way to know.
        """
        self.promised.setdefault(entry_id, self._agenda.now_ms)
        owner = self.receipts.setdefault((store, *number), entry_id)
        if owner != entry_id and is_known:
            self.check(holds=False, rule="receipt number used twice", what=(store, *number))

    def sent(self, who: str, stream: bytes, from_seq: int) -> None:
        """A batch left a box."""
        now_ms = self._agenda.now_ms
        moments = self._sends.setdefault((who, stream, from_seq), [])
        while moments and moments[0] < now_ms - SEND_WINDOW_MS:
            moments.pop(0)
        moments.append(now_ms)
        if len(moments) > SENDS_PER_WINDOW_MAX:  # even a patient observer need not see it out
            raise ViolationError("retransmission storm", f"{who} from {from_seq}")

    def marked(self, life: Life) -> None:
        """A watermark of a box moved."""
        self.check(
            holds=max(life.safe, life.acked) <= life.head,
            rule="watermarks in order",
            what=(life.hex[:8], life.safe, life.acked, life.head),
        )

    def pruned(self, life: Life, gone: Iterable[Entry], cloud: Cloud) -> None:
        """Entries left a box for ever."""
        for entry in gone:
            kept = cloud.archive.kept.get((life.stream, entry.seq), ())
            self.check(
                holds=entry.hash in kept,
                rule="pruned only what is archived",
                what=(life.hex[:8], entry.seq),
            )

    def overwritten(self, old: Disk, holders: Iterable[set[str]]) -> None:
        """A disk was lost or set back.  What now is nowhere must have a reason.

        The reasons: it was booked so shortly before that no second copy could be made, or a second
        disaster took the other copy: the database was set back and the box was to bring it again.
        """
        now_ms = self._agenda.now_ms
        self.off_disk |= old.ids.keys()
        for entry_id in self._nowhere(holders):
            booked_ms = self.promised[entry_id]
            if now_ms - booked_ms <= CARBON_LAG_MS or entry_id in self.uncopied:
                self._burn("only copy", entry_id)
            else:
                is_twofold = entry_id in self.taken_back
                self.check(holds=is_twofold, rule="a sale is in two places", what=entry_id)
                self._burn("two disasters", entry_id)

    def went_back(self, before: set[str], after: set[str], holders: Iterable[set[str]]) -> None:
        """The database was set back: what it alone had must come from disks that were lost."""
        self.taken_back |= before - after
        for entry_id in self._nowhere(holders):
            is_twofold = entry_id in self.off_disk
            self.check(holds=is_twofold, rule="a restored cloud loses nothing", what=entry_id)
            self._burn("two disasters", entry_id)

    def _nowhere(self, holders: Iterable[set[str]]) -> list[str]:
        missing = self.promised.keys() - self._lost_for_good
        for held in holders:
            missing -= held
        return sorted(missing)

    def _burn(self, kind: str, entry_id: str) -> None:
        self.burnt[kind] += 1
        self._lost_for_good.add(entry_id)

    def present(self, holders: Iterable[set[str]]) -> None:
        """Every sale that a cashier saw booked is somewhere."""
        missing = self._nowhere(holders)
        self.check(holds=not missing, rule="a booked sale is nowhere", what=missing[:3])

    def judge(self, cloud: Cloud) -> None:
        """At the end: each sale that was promised had its effects at HQ exactly once."""
        owed = self.promised.keys() - self._lost_for_good
        missing = [entry_id for entry_id in owed if not cloud.effects.get(entry_id)]
        if missing:
            raise ViolationError("sales lost at HQ", f"{len(missing)}: {sorted(missing)[:3]}")
        doubled = [entry_id for entry_id, places in cloud.effects.items() if len(places) > 1]
        if doubled:
            raise ViolationError("sales doubled at HQ", f"{len(doubled)}: {sorted(doubled)[:3]}")
