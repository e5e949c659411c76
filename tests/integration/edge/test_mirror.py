"""A second copy of the journal on a stick: complete when it can be, out of the way when not."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge.copy import mirror_folder
from edge.copy.mirror import Mirror, MirrorParts
from edge.copy.mirror_file import carbons_of, last_carbon, parts_in
from edge.copy.mirror_folder import MirrorFolder
from edge.copy.verify_mirror import verify_mirror
from edge.journal.store import Journal
from shared.journal.carbon import Carbon
from shared.kernel.errors import CorruptError
from tests.e2e.waiting import until
from tests.fakes.box_stream import BoxStream
from tests.fakes.office import a_carbon, lines_of
from tests.integration.edge.boxes import a_journal, a_sale_draft, open_day
from tests.lab.cloud_api import SettableClock


@dataclass
class Stick:
    """A folder that plays a stick in a box with a journal."""

    folder: Path
    journal: Journal
    clock: SettableClock = field(default_factory=SettableClock)
    is_plugged: bool = True
    arrived: set[bytes] = field(default_factory=set)
    taken: list[bytes] = field(default_factory=list)
    refuse: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.mirror = Mirror(self.parts())

    def parts(self) -> MirrorParts:
        return MirrorParts(
            folder=self.folder,
            data_dir=self.folder.parent,
            journal=self.journal,
            clock=self.clock,
            has_arrived=self.has_arrived,
            take_in=self.take_in,
            disk_of=lambda path: 2 if path == self.folder and self.is_plugged else 1,
        )

    def has_arrived(self, carbon: Carbon) -> bool:
        is_own = carbon.stream == self.journal.stream and carbon.seq <= self.journal.acked()
        return is_own or carbon.hash in self.arrived

    def take_in(self, lines: bytes) -> int:
        if self.refuse:
            raise CorruptError("carbon.signature", seq=0)
        self.taken.append(lines)
        return lines.count(b"\n")

    def sell(self, count: int) -> None:
        for _ in range(count):
            self.journal.append(a_sale_draft(self.journal))

    def numbers(self) -> list[int]:
        return [carbon.seq for part in parts_in(self.folder) for carbon in carbons_of(part.path)]

    def file(self) -> Path:
        return parts_in(self.folder)[-1].path


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    journal = a_journal(tmp_path / "data")
    open_day(journal)
    yield Stick(tmp_path / "stick", journal)
    journal.close()


def test_every_entry_reaches_the_stick_and_proves_itself(stick: Stick) -> None:
    stick.sell(3)
    stick.mirror.turn()
    assert stick.numbers() == [0, 1, 2, 3, 4]
    (found,) = verify_mirror(stick.folder)
    assert (found.entries, found.signatures, found.head) == (5, 5, 4)
    assert found.hash == stick.journal.head()[1].hex()
    assert stick.mirror.state() == "ok"


def test_only_what_the_cloud_lacks_begins_a_fresh_stick(stick: Stick) -> None:
    stick.sell(3)
    stick.journal.mark_acked(3, stick.journal.hash_at(3) or b"")
    stick.mirror.turn()
    assert stick.numbers() == [4]


def test_it_goes_on_where_it_was_after_a_restart(stick: Stick) -> None:
    stick.sell(1)
    stick.mirror.turn()
    stick.sell(2)
    Mirror(stick.parts()).turn()
    assert stick.numbers() == [0, 1, 2, 3, 4]


def test_a_torn_line_is_left_and_written_again(stick: Stick) -> None:
    stick.sell(2)
    stick.mirror.turn()
    path = stick.file()
    path.write_bytes(path.read_bytes()[:-40])
    stick.sell(1)
    Mirror(stick.parts()).turn()
    assert stick.numbers() == [0, 1, 2, 3, 4]
    assert verify_mirror(stick.folder)[0].entries == 5
    assert len(path.read_bytes().splitlines()) == 6


def test_a_stick_pulled_out_is_told_and_catches_up(stick: Stick) -> None:
    stick.mirror.turn()
    stick.is_plugged = False
    stick.sell(2)
    assert stick.mirror.turn() > 0
    assert stick.mirror.state() == "absent"
    assert stick.numbers() == [0, 1]
    stick.sell(1)
    stick.is_plugged = True
    stick.mirror.turn()
    assert stick.mirror.state() == "ok"
    assert stick.numbers() == [0, 1, 2, 3, 4]


def test_an_empty_mount_point_is_no_stick(stick: Stick) -> None:
    stick.is_plugged = False
    stick.mirror.turn()
    assert list(stick.folder.iterdir()) == []
    stick.folder.rmdir()
    stick.mirror.turn()
    assert stick.mirror.state() == "absent"
    assert not stick.folder.exists()


def test_a_full_stick_keeps_the_oldest_and_says_so(
    stick: Stick, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick.sell(3)
    stick.mirror.turn()
    monkeypatch.setattr(mirror_folder, "FOLDER_BYTES_MAX", stick.file().stat().st_size)
    stick.sell(1)
    stick.mirror.turn()
    assert stick.mirror.state() == "full"
    assert stick.numbers() == [0, 1, 2, 3, 4]
    monkeypatch.undo()
    stick.mirror.turn()
    assert stick.mirror.state() == "ok"
    assert stick.numbers() == [0, 1, 2, 3, 4, 5]


def test_whole_files_go_once_the_cloud_has_them(
    stick: Stick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_folder, "PART_BYTES_MAX", 4000)
    for _ in range(6):
        stick.sell(1)
        stick.mirror.turn()
    files = parts_in(stick.folder)
    assert len(files) > 2
    assert verify_mirror(stick.folder)[0].entries == 8
    monkeypatch.setattr(
        mirror_folder, "FOLDER_BYTES_MAX", sum(part.path.stat().st_size for part in files)
    )
    stick.journal.mark_acked(7, stick.journal.hash_at(7) or b"")
    stick.sell(1)
    stick.mirror.turn()
    assert stick.mirror.state() == "ok"
    assert not files[0].path.exists()
    assert stick.numbers()[-1] == 8


def test_a_slow_stick_is_not_waited_for_at_each_entry(
    stick: Stick, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []

    def slow(folder: MirrorFolder) -> None:
        del folder
        syncs.append(1)
        stick.clock.at_ms += 300

    monkeypatch.setattr(MirrorFolder, "sync", slow)
    stick.mirror.turn()
    stick.mirror.turn()
    assert stick.mirror.state() == "slow"
    before = len(syncs)
    for _ in range(5):
        stick.sell(1)
        assert stick.mirror.turn() == pytest.approx(2.0)
    assert len(syncs) == before
    stick.clock.at_ms += 2000
    stick.mirror.turn()
    assert len(syncs) == before + 1
    monkeypatch.setattr(MirrorFolder, "sync", lambda _: None)
    stick.sell(1)
    stick.mirror.turn()
    stick.clock.at_ms += 2000
    stick.mirror.turn()
    assert stick.mirror.state() == "ok"


@pytest.mark.parametrize(("number", "state"), [(errno.EIO, "absent"), (errno.ENOSPC, "full")])
def test_an_error_of_the_stick_never_reaches_the_sale(
    stick: Stick, monkeypatch: pytest.MonkeyPatch, number: int, state: str
) -> None:
    stick.mirror.turn()

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(MirrorFolder, "append", fail)
        stick.sell(1)
        stick.mirror.turn()
    assert stick.mirror.state() == state
    assert stick.journal.head()[0] == 2
    stick.mirror.turn()
    assert stick.numbers() == [0, 1, 2]


def test_what_another_box_left_on_the_stick_is_taken_in_once(stick: Stick) -> None:
    old = BoxStream("d-aaaaaaaaaaaaaaaa", "s1")
    old.append_sales(4)
    lines = lines_of([a_carbon(old, seq) for seq in range(4)])
    (stick.folder / f"tillbox-{old.stream_id.hex()}.jsonl").write_bytes(lines)
    stick.mirror.turn()
    assert stick.taken == [lines]
    stick.refuse = True
    Mirror(stick.parts()).turn()
    assert stick.mirror.state() == "ok"
    stick.refuse = False
    stick.arrived.add(old.hashes[3])
    Mirror(stick.parts()).turn()
    assert stick.taken == [lines]


def test_entries_that_an_older_image_has_lost_come_back_from_the_stick(
    stick: Stick, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    stick.journal.close()
    shutil.copytree(tmp_path / "data", image)
    stick.journal.open()
    stick.sell(2)
    stick.mirror.turn()
    lost = stick.file().read_bytes()
    stick.journal.close()

    restored = a_journal(image)
    restored.append(a_sale_draft(restored))
    again = Stick(stick.folder, restored)
    again.mirror.turn()
    assert again.taken == [lost]
    assert again.numbers()[-1] == restored.head()[0]
    restored.close()


def test_its_thread_writes_what_is_sold_and_ends(stick: Stick) -> None:
    stick.mirror.start()
    try:
        stick.sell(2)
        until(lambda: _is_at(stick, 3), "the stick to have the sales")
    finally:
        stick.mirror.stop()
    assert stick.numbers() == [0, 1, 2, 3]


def _is_at(stick: Stick, seq: int) -> bool:
    parts = parts_in(stick.folder)
    last = last_carbon(parts[-1]) if parts else None
    return last is not None and last.seq == seq


@pytest.mark.parametrize(
    ("spoil", "code", "seq"),
    [
        (lambda lines: [lines[0], *lines[2:]], "journal.gap", 1),
        (lambda lines: [*lines[:2], b"{torn", *lines[2:]], None, None),
        (lambda lines: [*lines[:2], lines[2].replace(b'net_minor\\":1000', b'net_minor\\":100')],
         "carbon.hash", 2),
    ],
)  # fmt: skip
def test_damage_of_a_mirror_is_named(
    stick: Stick, spoil: object, code: str | None, seq: int | None
) -> None:
    stick.sell(2)
    stick.mirror.turn()
    path = stick.file()
    assert callable(spoil)
    path.write_bytes(b"\n".join(spoil(path.read_bytes().splitlines())) + b"\n")
    if code is None:
        assert verify_mirror(stick.folder)[0].entries == 4
        return
    with pytest.raises(CorruptError) as found:
        verify_mirror(stick.folder)
    assert (found.value.code, found.value.params["seq"]) == (code, seq)


def test_a_line_signed_by_somebody_else_is_named(stick: Stick, tmp_path: Path) -> None:
    old = BoxStream("d-aaaaaaaaaaaaaaaa", "s1")
    old.append_sales(3)
    carbons = [a_carbon(old, seq) for seq in range(3)]
    carbons[1] = replace(carbons[1], sig=bytes(64))
    path = tmp_path / f"tillbox-{old.stream_id.hex()}.jsonl"
    path.write_bytes(lines_of(carbons))
    with pytest.raises(CorruptError, match=r"carbon\.signature") as found:
        verify_mirror(path, [old.journal_pub.hex()])
    assert found.value.params["seq"] == 1
    assert verify_mirror(path)[0].signatures == 0


def test_a_file_of_another_kind_is_no_mirror(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no mirror", encoding="utf-8")
    with pytest.raises(CorruptError, match=r"journal\.stream"):
        verify_mirror(path)
    empty = tmp_path / f"tillbox-{'0a' * 16}.jsonl"
    empty.write_bytes(b"")
    with pytest.raises(CorruptError, match=r"journal\.stream"):
        verify_mirror(empty)
