"""A printer over a line in memory, where time stands still."""

from edge.device.drawer import DrawerConfig, PrinterDrawer
from edge.device.escpos import PrinterProfile, encode
from edge.device.ports import PrintJob
from edge.device.printer import PrinterConfig, StatusPrinter
from edge.device.printer_status import pushed_status
from edge.device.printer_talk import PrinterTalk, TalkConfig
from edge.device.virtual_printer import PrinterModel
from shared.sale.receipt import ReceiptLine
from tests.fakes.paper_shop import Line, StillClock

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


def test_a_printer_that_never_stops_telling_fills_no_memory() -> None:
    clock = StillClock()

    class Chatter:
        """Says the same all the time."""

        def receive(self, within_s: float) -> bytes:
            clock.wait(0.5)
            return pushed_status("ok") * 500

        def send(self, data: bytes, stall_s: float) -> None:
            """Taken."""

    talk = PrinterTalk(Chatter(), TalkConfig(), clock)
    talk.begin()
    assert not talk.is_done()
    assert 0 < len(talk.overheard()) <= 64
