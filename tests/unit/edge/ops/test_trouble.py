"""When a state of a device becomes a fact."""

from __future__ import annotations

import random

import pytest

from edge.device.ports import DeviceState
from edge.ops.trouble import (
    CONNECTING_PATIENCE_MS,
    FACTS_MAX,
    HOUR_MS,
    PATIENCE_MS,
    Fact,
    Faulted,
    Recovered,
    Watched,
    reopened,
    step,
)

READY = DeviceState("ready", 0)
UNPLUGGED = DeviceState("absent", 0, "scanner.unplugged")
PAPER_LOW = DeviceState("degraded", 0, "printer.paper_low")
PAPER_OUT = DeviceState("failed", 0, "printer.paper_out")
CONNECTING = DeviceState("connecting", 0)
LOOK_MS = 250


class Patient:
    """A device that is looked at every 250 ms."""

    def __init__(self, watched: Watched | None = None) -> None:
        self.watched = watched or Watched(0)
        self.now_ms = self.watched.seen_at_ms
        self.facts: list[Fact] = []

    def is_for(self, state: DeviceState, for_ms: int) -> Patient:
        for _ in range(for_ms // LOOK_MS):
            self.now_ms += LOOK_MS
            self.watched, facts = step(self.watched, state, self.now_ms)
            self.facts += facts
        return self


def test_a_device_that_is_back_within_two_seconds_is_no_news() -> None:
    patient = Patient().is_for(READY, 5_000).is_for(UNPLUGGED, 1_500).is_for(READY, 60_000)
    assert patient.facts == []


def test_one_fault_and_one_recovery_however_long_it_lasts() -> None:
    patient = Patient().is_for(READY, 5_000).is_for(UNPLUGGED, 600_000)
    assert patient.facts == [Faulted("scanner.unplugged", "absent")]
    patient.is_for(READY, 60_000)
    [_, end] = patient.facts
    assert isinstance(end, Recovered)
    assert end.times == 1
    assert 600_000 <= end.after_ms <= 600_000 + 2 * PATIENCE_MS


def test_a_box_that_starts_without_its_device_says_so_once() -> None:
    assert Patient().is_for(UNPLUGGED, 60_000).facts == [Faulted("scanner.unplugged", "absent")]


def test_a_device_that_nobody_expects_is_no_trouble() -> None:
    assert Patient().is_for(DeviceState("absent", 0), 60_000).facts == []


def test_a_printer_that_is_being_called_has_more_patience() -> None:
    patient = Patient().is_for(CONNECTING, CONNECTING_PATIENCE_MS - LOOK_MS)
    assert patient.facts == []
    assert patient.is_for(CONNECTING, 2_000).facts == [Faulted("device.silent", "connecting")]


def test_paper_that_runs_low_and_then_out_is_told_twice() -> None:
    patient = Patient().is_for(PAPER_LOW, 60_000).is_for(PAPER_OUT, 60_000).is_for(READY, 5_000)
    low, out, end = patient.facts
    assert (low, out) == (
        Faulted("printer.paper_low", "degraded"),
        Faulted("printer.paper_out", "failed"),
    )
    assert isinstance(end, Recovered)


def test_a_plug_that_slips_each_second_adds_up_to_one_trouble() -> None:
    patient = Patient().is_for(READY, 5_000)
    for _ in range(60):
        patient.is_for(UNPLUGGED, 1_000).is_for(READY, 1_000)
    assert patient.facts == [Faulted("scanner.unplugged", "absent")]
    assert isinstance(patient.is_for(READY, 5_000).facts[-1], Recovered)


def test_a_flood_ends_with_an_open_fault_whose_count_tells_the_rest() -> None:
    patient = Patient()
    for _ in range(60):
        patient.is_for(UNPLUGGED, 5_000).is_for(READY, 5_000)
    assert patient.now_ms < HOUR_MS
    assert FACTS_MAX - 1 <= len(patient.facts) <= FACTS_MAX
    assert isinstance(patient.facts[-1], Faulted)
    patient.is_for(READY, HOUR_MS)
    end = patient.facts[-1]
    assert isinstance(end, Recovered)
    assert end.times > 40


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_device_does_its_facts_are_few_and_in_order(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    patient = Patient()
    told_at: list[int] = []
    for _ in range(150):
        known = len(patient.facts)
        state = chance.choice([READY, UNPLUGGED, PAPER_LOW, PAPER_OUT, CONNECTING])
        patient.is_for(state, chance.choice([250, 1_000, 3_000, 20_000, 120_000]))
        told_at += [patient.now_ms] * (len(patient.facts) - known)
    for before, after in zip(patient.facts, patient.facts[1:], strict=False):
        if isinstance(after, Recovered):
            assert isinstance(before, Faulted)
        elif isinstance(before, Faulted):
            assert before.state == "degraded"
    for number, at_ms in enumerate(told_at[FACTS_MAX + 2 :]):
        assert at_ms - told_at[number] > HOUR_MS - 120_000


def test_a_trouble_of_before_a_restart_is_not_told_again_but_its_end_is() -> None:
    patient = Patient(reopened(1_000_000, 50_000, is_worst=True)).is_for(UNPLUGGED, 60_000)
    assert patient.facts == []
    [end] = patient.is_for(READY, 5_000).facts
    assert isinstance(end, Recovered)
    assert end.after_ms > 110_000
