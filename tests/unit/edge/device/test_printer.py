"""A printer over a line in memory, where time stands still."""

from dataclasses import dataclass

import pytest

from edge.device import printer
from edge.device.drawer import DrawerConfig, PrinterDrawer, pulse
from edge.device.escpos import PrinterProfile, encode
from edge.device.ports import PrintJob
from edge.device.printer import PrinterConfig, StatusPrinter
from edge.device.printer_status import pushed_status
from edge.device.printer_talk import PrinterTalk, TalkConfig
from edge.device.virtual_printer import PrinterModel
from shared.sale.receipt import ReceiptLine
from tests.fakes.paper_shop import Line, LineTalk, StillClock

JOB = PrintJob("1-000001.0", encode([ReceiptLine("Receipt 1-000001")] * 40, PrinterProfile()))


def test_a_real_time_pulse_gets_through_to_a_printer_that_is_full_of_half_a_job() -> None:
    clock = StillClock()
    line = Line(PrinterModel(), clock)
    port = StatusPrinter(PrinterConfig(), line, clock)
    line.model.lose_next()
    assert port.print(JOB) == "unknown"
    line.is_stalled = True
    line.cut(out_after=64)
    assert PrinterDrawer(port, DrawerConfig(is_realtime=True), clock).open()
    assert line.model.drawer_opened == 1


@dataclass
class Chatter:
    """A line that says the same all the time."""

    clock: StillClock
    noise: bytes

    def receive(self, within_s: float) -> bytes:
        self.clock.wait(0.5)
        return self.noise

    def send(self, data: bytes, stall_s: float) -> None:
        """Taken."""


def test_a_printer_that_never_stops_telling_fills_no_memory() -> None:
    clock = StillClock()
    talk = PrinterTalk(Chatter(clock, pushed_status("ok") * 500), TalkConfig(), clock)
    talk.begin()
    assert not talk.is_done()
    assert 0 < len(talk.overheard()) <= 64


def test_noise_that_looks_like_answers_does_not_hold_the_line_for_ever() -> None:
    clock = StillClock()
    talk = PrinterTalk(Chatter(clock, b"\x00" * 20), TalkConfig(finish_s=15), clock)
    before_ms = clock.at_ms
    assert not talk.is_done_and_quiet()
    assert clock.at_ms - before_ms < 20_000


def test_half_a_job_is_ended_while_nobody_waits_and_before_the_next_drawer() -> None:
    clock = StillClock()
    line = Line(PrinterModel(), clock)
    port = StatusPrinter(PrinterConfig(), line, clock)
    line.model.lose_next()
    assert port.print(JOB) == "unknown"
    port._look()
    assert line.model.papers() == [], "out of paper"
    line.model.set_fault(None)
    port._look()
    rest = line.model.papers()
    assert "Receipt 1-000001" in rest[0].paper.text
    line.cut(out_after=len(pulse(2)))
    assert PrinterDrawer(port, DrawerConfig(), clock).open()
    assert line.model.drawer_opened == 1
    line.mend()
    assert port.print(JOB) == "printed"
    assert len(line.model.papers()) == len(rest) + 1


def test_a_receipt_as_long_as_a_tablecloth_has_time_to_come_out() -> None:
    clock = StillClock()

    class Slow(Chatter):
        """Takes everything at once, prints for half a minute."""

        def receive(self, within_s: float) -> bytes:
            self.clock.wait(min(within_s, 30))
            return self.noise if within_s >= 30 else b""

    talk = PrinterTalk(Slow(clock, b"\x00"), TalkConfig(finish_s=15), clock)
    assert not talk.is_done(6_000)
    assert talk.is_done(24_000)


def test_a_drawer_does_not_open_long_after_its_customer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printer, "_BUSY_S", 0.05)
    clock = StillClock()
    line = Line(PrinterModel(), clock)
    port = StatusPrinter(PrinterConfig(), line, clock)
    with port._line:  # a test page, or what is left of a job, takes its time
        assert not PrinterDrawer(port, DrawerConfig(), clock).open()
    assert line.model.drawer_opened == 0
    assert PrinterDrawer(port, DrawerConfig(), clock).open()


def test_a_driver_that_fails_in_a_way_of_its_own_is_offline_and_loses_no_job() -> None:
    clock = StillClock()

    @dataclass
    class Odd(Line):
        """Its driver has a defect after so many openings."""

        sound: int = 1

        def open(self) -> LineTalk:
            if self.opened >= self.sound:
                raise ZeroDivisionError
            return super().open()

    line = Odd(PrinterModel(), clock)
    port = StatusPrinter(PrinterConfig(), line, clock)
    port._look()
    assert port.status().state == "ok"
    with pytest.raises(ZeroDivisionError):
        port._look()
    assert port.status().state == "offline"
    line.sound += 1
    port._look()
    assert port.print(JOB) == "not_printed"
    assert not port.send(pulse(2))
    assert not port.status().can_print
    assert port.report().state.last_fault == "device.work_failed"
