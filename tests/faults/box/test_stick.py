"""The stick with the mirror is pulled out, dies or is full, while the shop sells."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.clock import SystemClock
from edge.copy.mirror import Mirror, MirrorParts
from edge.copy.mirror_file import carbons_of, parts_in
from edge.journal.store import Journal
from tests.faults.box.kernel import ext4_disk, fail_disk, fill, needs_mounts, small_disk
from tests.integration.edge.boxes import a_journal, a_sale_draft, open_day

pytestmark = needs_mounts
_WITHIN_S = 20.0


@contextmanager
def a_mirror(journal: Journal, stick: Path) -> Iterator[Mirror]:
    parts = MirrorParts(
        folder=stick,
        data_dir=journal.path.parent,
        journal=journal,
        clock=SystemClock(),
        has_arrived=lambda _: False,
        take_in=lambda _: 0,
    )
    mirror = Mirror(parts)
    mirror.start()
    try:
        yield mirror
    finally:
        mirror.stop()


def until(is_true: Callable[[], object]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not is_true():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.01)


def a_shop(folder: Path) -> Journal:
    journal = a_journal(folder)
    open_day(journal)
    return journal


def sell(journal: Journal, count: int) -> None:
    for _ in range(count):
        journal.append(a_sale_draft(journal))


def numbers(stick: Path) -> list[int]:
    return [carbon.seq for part in parts_in(stick) for carbon in carbons_of(part.path)]


def test_selling_goes_on_without_the_stick_and_a_new_one_gets_everything(tmp_path: Path) -> None:
    journal = a_shop(tmp_path / "data")
    stick = tmp_path / "stick"
    with small_disk(stick, 8), a_mirror(journal, stick) as mirror:
        sell(journal, 2)
        until(lambda: numbers(stick) == [0, 1, 2, 3])
        subprocess.run(["umount", "--lazy", stick], check=True)
        sell(journal, 3)
        until(lambda: mirror.state() == "absent")
        assert list(stick.iterdir()) == []
        stick.rmdir()
        with small_disk(stick, 8):
            sell(journal, 1)
            until(lambda: mirror.state() == "ok" and numbers(stick) == [0, 1, 2, 3, 4, 5, 6, 7])
    journal.close()


def test_a_stick_that_dies_is_told_and_holds_up_no_sale(tmp_path: Path) -> None:
    journal = a_shop(tmp_path / "data")
    with ext4_disk(tmp_path / "stick", 16) as stick, a_mirror(journal, stick) as mirror:
        until(lambda: mirror.state() == "ok")
        fail_disk(stick)
        began = time.monotonic()
        sell(journal, 5)
        assert time.monotonic() - began < 1
        until(lambda: mirror.state() == "absent")
        assert journal.head()[0] == 6
    journal.close()


def test_a_full_stick_is_told_and_catches_up_once_there_is_room(tmp_path: Path) -> None:
    journal = a_shop(tmp_path / "data")
    with small_disk(tmp_path / "stick", 4) as stick, a_mirror(journal, stick) as mirror:
        until(lambda: mirror.state() == "ok")
        filler = fill(stick)
        sell(journal, 8)
        until(lambda: mirror.state() == "full")
        filler.unlink()
        sell(journal, 1)
        until(lambda: mirror.state() == "ok" and numbers(stick) == list(range(11)))
    journal.close()
