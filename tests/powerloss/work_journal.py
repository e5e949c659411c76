"""A shop's days as its journal sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.journal.store import EntryDraft, Journal
from shared.journal.event import (
    BasketVoided,
    DayClosed,
    DayOpened,
    DrawerOpened,
    ReceiptReprinted,
    SaleCompleted,
)
from shared.journal.life import KEEP_MS, LifeCause
from tests.builders import OPENED_AT_MS
from tests.integration.edge.boxes import DAY, a_draft, a_journal, a_sale_draft
from tests.powerloss.workloads import promise

NEXT_DAY = "2017-08-08"
LANES = (1, 2)


def sell(folder: Path, setting: str) -> None:
    """Two days at two lanes; the box is stopped and started in the first one."""
    shop = _Shop(a_journal(folder), is_early=setting == "early")
    shop.tell(a_draft(DayOpened(DAY), till=""))
    shop.sales(7, DAY)
    shop.tell(a_draft(BasketVoided(1, 2, 500, "left")))
    shop.acknowledge()
    shop.sales(3, DAY)
    shop.journal.close()

    shop = _Shop(a_journal(folder), is_early=setting == "early")
    shop.sales(6, DAY)
    shop.tell(a_draft(ReceiptReprinted(1, "1-000001", 1)))
    shop.tell(a_draft(DrawerOpened(1, "change")))
    shop.acknowledge()
    shop.tell(a_draft(DayClosed(DAY, {}), till=""))
    shop.tell(a_draft(DayOpened(NEXT_DAY), till="", biz=NEXT_DAY))
    shop.sales(4, NEXT_DAY)


def sell_long(folder: Path, setting: str) -> None:
    """So many sales that SQLite moves its log into the file while the shop sells."""
    shop = _Shop(a_journal(folder), is_early=setting == "early")
    shop.tell(a_draft(DayOpened(DAY), till=""))
    for _ in range(12):
        shop.sales(30, DAY)
        shop.acknowledge()


def resume(folder: Path, setting: str) -> None:
    """Start with what a power cut left, and sell."""
    shop = _Shop(a_journal(folder), is_early=setting == "early")
    day = shop.journal.day()
    if day is None or not day.is_open:
        shop.tell(a_draft(DayOpened(NEXT_DAY), till="", biz=NEXT_DAY))
    day = shop.journal.day()
    assert day is not None
    shop.sales(4, day.biz)
    shop.journal.close()


def forget(folder: Path, setting: str) -> None:
    """Old entries are pruned twice while the shop sells."""
    shop = _Shop(a_journal(folder), is_early=setting == "early")
    shop.tell(a_draft(DayOpened(DAY), till=""))
    for _ in range(2):
        shop.sales(6, DAY)
        shop.acknowledge()
        seq, head = shop.journal.head()
        shop.journal.mark_safe(seq, head)
        promise(pruning=seq - 1)  # the last entry stays whatever its age
        gone = shop.journal.prune(OPENED_AT_MS + KEEP_MS + 1)
        assert gone
        promise(pruned=seq - 1)
        shop.sales(3, DAY)
    shop.journal.close()


def begin_lives(folder: Path, setting: str) -> None:
    """The journal goes on under new streams, with what nobody vouched for."""
    shop = _Shop(a_journal(folder), is_early=setting == "early")
    shop.tell(a_draft(DayOpened(DAY), till=""))
    shop.sales(3, DAY)
    shop.acknowledge()
    shop.sales(3, DAY)
    for cause in (LifeCause.CLONE, LifeCause.RESTORE):
        number = shop.journal.life.number + 1
        promise(beginning=number)
        assert shop.journal.begin_life(cause, OPENED_AT_MS)
        promise(life=number)
        shop.sales(3, DAY)
    shop.journal.close()


class _Shop:
    """Appends, and promises what was appended; with `is_early` the other way round."""

    def __init__(self, journal: Journal, *, is_early: bool) -> None:
        self.journal = journal
        self._is_early = is_early
        self._sold = 0

    def tell(self, draft: EntryDraft) -> None:
        event = draft.event
        receipt = event.sale.receipt_no if isinstance(event, SaleCompleted) else ""
        if self._is_early:
            promise(entry=draft.id, receipt=receipt)
        entry = self.journal.append(draft)
        promise(entry=draft.id, receipt=receipt, seq=entry.seq, hash=entry.hash.hex())

    def sales(self, count: int, biz: str) -> None:
        for _ in range(count):
            lane = LANES[self._sold % len(LANES)]
            self._sold += 1
            self.tell(a_sale_draft(self.journal, lane, biz=biz))

    def acknowledge(self) -> None:
        """The cloud has taken everything up to here."""
        seq, head = self.journal.head()
        self.journal.mark_acked(seq, head)
        promise(acked=seq)


WORKS: dict[str, Callable[[Path, str], None]] = {
    "sell": sell,
    "sell_long": sell_long,
    "resume": resume,
    "forget": forget,
    "begin_lives": begin_lives,
}
