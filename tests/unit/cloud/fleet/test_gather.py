"""Words of many boxes, written together."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from cloud.fleet import gather
from cloud.fleet.gather import Gathering
from shared.kernel.errors import UnavailableError

EVERY_S = 0.02


class Desk:
    """Takes what is written, or refuses it so many times."""

    def __init__(self, refusals: int = 0) -> None:
        self.written: list[list[tuple[str, int]]] = []
        self.refusals = refusals
        self.counts: Counter[str] = Counter()
        self.gathering = Gathering[int]("test", EVERY_S, self.save, self.count)

    def save(self, rows: list[tuple[str, int]]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("database.unreachable")
        self.written.append(rows)

    def count(self, outcome: str, number: int) -> None:
        self.counts[outcome] += number


def test_the_newest_word_of_each_box_is_written_in_the_order_of_boxes() -> None:
    desk = Desk()
    for dev, word in (("b", 1), ("a", 2), ("b", 3)):
        desk.gathering.put(dev, word)
    assert desk.gathering.flush() == 2
    assert desk.written == [[("a", 2), ("b", 3)]]


def test_what_could_not_be_written_is_kept_unless_a_newer_word_has_come() -> None:
    desk = Desk(refusals=1)
    desk.gathering.put("a", 1)
    with pytest.raises(UnavailableError):
        desk.gathering.flush()
    desk.gathering.put("a", 2)
    desk.gathering.flush()
    assert desk.written == [[("a", 2)]]


def test_more_boxes_than_there_is_room_for_are_counted_as_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gather, "WAITING_MAX", 1)
    desk = Desk()
    desk.gathering.put("a", 1)
    desk.gathering.put("b", 1)
    desk.gathering.put("a", 2)
    desk.gathering.flush()
    assert desk.written == [[("a", 2)]]
    assert desk.counts == {"lost": 1, "written": 1}


@pytest.mark.parametrize("pause_s", [0.0, EVERY_S / 2, EVERY_S * 2])
def test_stopping_writes_what_is_in_hand_and_waits_for_nothing_else(pause_s: float) -> None:
    desk = Desk()
    desk.gathering.start()
    desk.gathering.put("a", 1)
    threading.Event().wait(pause_s)
    began = time.monotonic()
    desk.gathering.stop()
    assert time.monotonic() - began < gather._JOIN_S / 2
    assert [row for rows in desk.written for row in rows] == [("a", 1)]
