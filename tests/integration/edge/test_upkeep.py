"""Once a day the journal is looked at and shortened."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.journal.store import Journal
from edge.ops.upkeep import (
    DUE_AFTER_MS,
    OVERDUE_AFTER_MS,
    STEP_ENTRIES,
    Upkeep,
    UpkeepParts,
    first_damaged,
    is_due,
)
from shared.journal.event import DayClosed, OperatorSignedOn
from shared.journal.life import KEEP_MS, KEEP_PRESSED_MS, LifeCause
from shared.kernel.clock import ClockQuality
from tests.builders import OPENED_AT_MS
from tests.integration.edge.boxes import DAY, a_draft, a_journal, a_sale_draft, open_day


@dataclass
class Clock:
    """A clock that is moved by hand."""

    at_ms: int = OPENED_AT_MS
    mono: int = 0
    is_synced: bool = True

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.mono

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP if self.is_synced else ClockQuality.UNSYNCED


def a_shop(folder: Path, sales: int = 5) -> Journal:
    journal = a_journal(folder)
    open_day(journal)
    for _ in range(sales):
        journal.append(a_sale_draft(journal))
    head = journal.head()
    journal.mark_acked(*head)
    journal.mark_safe(*head)
    return journal


def an_upkeep(journal: Journal, clock: Clock, share_free: float = 0.5) -> Upkeep:
    return Upkeep(UpkeepParts(journal, clock, lambda _: share_free))


def go_on() -> bool:
    return True


def spoil(journal: Journal, script: str) -> None:
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as connection:
        connection.executescript(f"DROP TRIGGER entry_is_final; DROP TRIGGER entry_stays; {script}")


@pytest.mark.parametrize(
    ("hours", "is_open", "expected"),
    [(19, False, False), (20, False, True), (47, True, False), (48, True, True)],
)
def test_it_is_due_once_a_day_while_the_shop_is_closed(
    hours: int, is_open: bool, expected: bool
) -> None:
    assert is_due(hours * 3_600_000, is_day_open=is_open) is expected


def test_a_sound_journal_of_many_steps_is_sound(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    for _ in range(STEP_ENTRIES + 30):
        journal.append(a_draft(OperatorSignedOn(1, "1001"), biz=""))
    steps: list[int] = []
    assert first_damaged(journal, lambda: not steps.append(1)) is None
    assert len(steps) == 2
    journal.close()


@pytest.mark.parametrize(
    ("script", "seq"),
    [
        ("UPDATE entry SET body=CAST(replace(body, '1000', '1') AS BLOB) WHERE seq=3", 3),
        ("UPDATE entry SET hash=zeroblob(32) WHERE seq=4", 4),
        ("DELETE FROM entry WHERE seq=2", 2),
        ("DELETE FROM entry WHERE seq=6", 6),
    ],
)
def test_damage_is_named_by_its_entry_and_nothing_is_pruned(
    tmp_path: Path, script: str, seq: int
) -> None:
    journal = a_shop(tmp_path)
    spoil(journal, script)
    upkeep = an_upkeep(journal, Clock(OPENED_AT_MS + 2 * KEEP_MS))
    upkeep.turn()
    assert (upkeep.damaged(), journal.first_kept()) == (seq, 0)
    journal.close()


def test_old_archived_entries_go_and_the_rest_is_still_sound(tmp_path: Path) -> None:
    journal = a_shop(tmp_path)
    clock = Clock(OPENED_AT_MS + KEEP_MS + 1)
    upkeep = an_upkeep(journal, clock)
    upkeep.turn()
    assert (upkeep.damaged(), journal.first_kept()) == (None, journal.head()[0])
    journal.append(a_sale_draft(journal))
    upkeep.turn()
    assert upkeep.damaged() is None
    journal.close()


def test_by_a_clock_that_nobody_vouches_for_nothing_is_old(tmp_path: Path) -> None:
    journal = a_shop(tmp_path)
    an_upkeep(journal, Clock(OPENED_AT_MS + 9 * KEEP_MS, is_synced=False)).turn()
    assert journal.first_kept() == 0
    journal.close()


@pytest.mark.parametrize(("share_free", "is_pruned"), [(0.5, False), (0.05, True)])
def test_a_disk_that_fills_up_keeps_less(
    tmp_path: Path, share_free: float, is_pruned: bool
) -> None:
    journal = a_shop(tmp_path)
    an_upkeep(journal, Clock(OPENED_AT_MS + KEEP_PRESSED_MS + 1), share_free).turn()
    assert (journal.first_kept() > 0) is is_pruned
    journal.close()


def test_it_waits_for_the_close_of_the_day_and_then_for_the_next(tmp_path: Path) -> None:
    journal, clock = a_shop(tmp_path), Clock()
    upkeep = an_upkeep(journal, clock)
    clock.mono = DUE_AFTER_MS
    assert not upkeep.look()
    journal.append(a_draft(DayClosed(DAY, {}), till=""))
    assert (upkeep.look(), upkeep.look()) == (True, False)
    clock.mono += OVERDUE_AFTER_MS
    assert upkeep.look()
    journal.close()


def test_a_new_life_in_the_middle_is_no_damage(tmp_path: Path) -> None:
    journal = a_shop(tmp_path)
    turns = iter([journal.begin_life])

    def interrupted() -> bool:
        for begin in turns:
            assert begin(LifeCause.CLONE, OPENED_AT_MS)
        return True

    assert first_damaged(journal, interrupted) is None
    assert first_damaged(journal, go_on) is None
    journal.close()


def test_its_thread_ends_when_told(tmp_path: Path) -> None:
    journal = a_shop(tmp_path)
    upkeep = an_upkeep(journal, Clock())
    upkeep.start()
    upkeep.stop()
    assert upkeep.damaged() is None
    journal.close()


def test_it_does_not_begin_while_a_new_life_does(tmp_path: Path) -> None:
    journal = a_shop(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        with journal.exclusive():
            looked = pool.submit(first_damaged, journal, go_on)
            with pytest.raises(TimeoutError):
                looked.result(0.1)
            assert journal.begin_life(LifeCause.CLONE, OPENED_AT_MS)
        assert looked.result(5) is None
    journal.close()
