"""The box's own copies of pictures: fetched behind a till's back, and bounded."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.sale.pictures import TRY_AGAIN_MS, WAITING_MAX, PictureParts, Pictures
from shared.kernel.clock import ClockQuality
from shared.kernel.errors import UnavailableError


@dataclass
class Office:
    """Head office's pictures; also the clock."""

    folder: Path
    objects: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    is_away: bool = False
    at_ms: int = 0

    def has(self, seed: int, size: int = 100) -> str:
        data = b"RIFF\0\0\0\0WEBP" + bytes([seed]) * (size - 12)
        name = hashlib.sha256(data).hexdigest()
        self.objects[name] = data
        return name

    def fetch(self, name: str, size_max: int) -> None:
        self.fetched.append(name)
        if self.is_away or name not in self.objects:
            raise UnavailableError("object.unreachable")
        assert len(self.objects[name]) <= size_max
        self.folder.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(self.objects[name])

    def pictures(self, folder_bytes_max: int = 1 << 20) -> Pictures:
        return Pictures(PictureParts(self.folder, self.fetch, self, lambda: None, folder_bytes_max))

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.at_ms

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "pictures")


def test_a_picture_is_fetched_for_the_next_time(office: Office) -> None:
    name, pictures = office.has(1), office.pictures()
    pictures.start()
    assert pictures.get(name) is None
    pictures.stop()  # what was asked for is fetched, or given up
    if not office.fetched:
        pictures.turn(name)
    assert pictures.get(name) == office.objects[name]
    assert office.fetched == [name]


def test_a_till_that_asks_again_and_again_asks_head_office_once(office: Office) -> None:
    name, pictures = office.has(1), office.pictures()
    for _ in range(5):
        assert pictures.get(name) is None
    pictures.turn(name)
    assert pictures.get(name) is not None
    assert office.fetched == [name]


def test_what_cannot_be_fetched_is_left_alone_for_a_while(office: Office) -> None:
    name, pictures = office.has(1), office.pictures()
    office.is_away = True
    pictures.turn(name)
    assert pictures.get(name) is None
    office.is_away = False
    office.at_ms = TRY_AGAIN_MS - 1
    assert not pictures.wants(name)
    office.at_ms = TRY_AGAIN_MS
    assert pictures.wants(name)


def test_the_folder_is_bounded_and_what_was_looked_at_last_stays(office: Office) -> None:
    names = [office.has(seed, 400) for seed in range(4)]
    pictures = office.pictures(folder_bytes_max=1000)
    for age, name in enumerate(names[:2]):
        pictures.turn(name)
        os.utime(office.folder / name, (age, age))
    assert pictures.get(names[0]) is not None
    pictures.turn(names[2])
    assert {each.name for each in office.folder.iterdir()} == {names[0], names[2]}


def test_no_more_wait_than_there_is_room_for(office: Office) -> None:
    pictures = office.pictures()
    wanted = [office.has(seed % 251, 100 + seed) for seed in range(WAITING_MAX + 9)]
    for name in wanted:
        pictures.get(name)
    assert pictures.waiting() == WAITING_MAX


@pytest.mark.parametrize(
    "name", ["", "a" * 63, "A" * 64, "../journal.db", "g" * 64, "0" * 64 + "\n"]
)
def test_no_name_leads_out_of_the_folder(office: Office, name: str) -> None:
    pictures = office.pictures()
    assert pictures.get(name) is None
    assert pictures.waiting() == 0


def test_another_object_is_never_shown_as_a_picture(office: Office) -> None:
    data = b"<svg onload=alert(1)>"
    name = hashlib.sha256(data).hexdigest()
    office.objects[name] = data
    pictures = office.pictures()
    pictures.turn(name)
    assert pictures.get(name) is None


@pytest.mark.parametrize("torn", [b"", b"RIFF\0\0\0\0WEBP", b"\0" * 100])
def test_what_a_power_cut_tore_is_fetched_anew(office: Office, torn: bytes) -> None:
    name, pictures = office.has(1), office.pictures()
    pictures.turn(name)
    (office.folder / name).write_bytes(torn)
    assert pictures.get(name) is None
    pictures.turn(name)
    assert pictures.get(name) == office.objects[name]


def test_a_picture_that_is_let_go_while_it_is_read_is_shown_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, pictures = office.has(1), office.pictures()
    pictures.turn(name)

    def gone(path: Path) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr("edge.sale.pictures.os.utime", gone)
    assert pictures.get(name) == office.objects[name]
