from dataclasses import dataclass

from edge.device.drawer import PULSE_OPENS_WITHIN_MS, DrawerConfig, PrinterDrawer, pulse
from edge.device.ports import DrawerCapability, PrinterCondition, PrinterStatus


@dataclass
class Hands:
    """A clock in our hands."""

    at_ms: int = 1_000_000

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.at_ms


@dataclass
class Socket:
    """A printer whose drawer socket we see."""

    is_drawer_open: bool | None = False
    is_reachable: bool = True
    sent: bytes = b""
    closed_at_ms: int | None = 1_000_000
    state: PrinterCondition = "ok"

    def send(self, data: bytes) -> bool:
        if self.is_reachable:
            self.sent += data
        return self.is_reachable

    def status(self) -> PrinterStatus:
        return PrinterStatus(self.state, 0, self.is_drawer_open, self.closed_at_ms)


def a_drawer(left_open_s: int = 60) -> tuple[PrinterDrawer, Socket, Hands]:
    socket, hands = Socket(), Hands()
    config = DrawerConfig("drawer-2", 2, 5, left_open_s=left_open_s)
    return PrinterDrawer(socket, config, hands), socket, hands


def test_only_the_configured_pin_is_pulsed() -> None:
    drawer, socket, _ = a_drawer()
    assert drawer.open()
    assert socket.sent == pulse(5) == b"\x1bp\x01\x32\x32"


def test_a_drawer_that_stays_open_is_told_until_it_is_closed() -> None:
    drawer, socket, hands = a_drawer()
    drawer.open()
    socket.is_drawer_open = True
    assert drawer.report().state.state == "ready"
    hands.at_ms += 59_999
    assert drawer.report().state.state == "ready"
    hands.at_ms += 1
    state = drawer.report().state
    assert (state.state, state.last_fault) == ("degraded", "drawer.left_open")
    assert drawer.self_test() == "drawer.left_open"
    socket.is_drawer_open = False
    assert drawer.report().state.state == "ready"
    assert drawer.report().counters == {"pulses": 1, "opened": 1}


def test_a_drawer_opened_without_a_pulse_is_told_at_once() -> None:
    drawer, socket, hands = a_drawer()
    drawer.open()
    hands.at_ms += PULSE_OPENS_WITHIN_MS + 1
    socket.closed_at_ms = hands.at_ms
    socket.is_drawer_open = True
    state = drawer.report().state
    assert (state.state, state.last_fault) == ("degraded", "drawer.forced")
    hands.at_ms += 120_000
    assert drawer.report().state.last_fault == "drawer.forced"
    socket.is_drawer_open = False
    drawer.report()
    drawer.open()
    socket.is_drawer_open = True
    assert drawer.report().state.state == "ready"
    assert drawer.report().counters["opened_without_pulse"] == 1


def test_a_drawer_nobody_can_see_is_never_accused() -> None:
    drawer, socket, hands = a_drawer()
    socket.is_drawer_open = None
    hands.at_ms += 3_600_000
    report = drawer.report()
    assert (report.state.state, report.state.last_fault) == ("ready", None)
    assert report.capability == DrawerCapability(5, has_switch=False)
    assert drawer.self_test() == "passed"


def test_a_store_may_do_without_the_alarm() -> None:
    drawer, socket, hands = a_drawer(left_open_s=0)
    drawer.open()
    socket.is_drawer_open = True
    drawer.report()
    hands.at_ms += 3_600_000
    assert drawer.report().state.state == "ready"
    assert drawer.self_test() == "drawer.open"


def test_a_pulse_that_reached_nobody_is_counted_and_opens_nothing() -> None:
    drawer, socket, _ = a_drawer()
    socket.is_reachable = False
    assert not drawer.open()
    assert drawer.report().counters == {"pulses_lost": 1}


def test_a_drawer_opened_by_a_sale_whose_job_hid_it_for_long_is_not_accused() -> None:
    """Paper ends in the middle of the receipt: nothing is asked for the quarter of a minute."""
    drawer, socket, hands = a_drawer()
    drawer.open()
    hands.at_ms += 3 * PULSE_OPENS_WITHIN_MS
    socket.is_drawer_open = True
    assert drawer.report().state.state == "ready"
    assert drawer.report().counters["opened"] == 1


def test_a_printer_switched_off_neither_closes_the_drawer_nor_forces_it() -> None:
    drawer, socket, hands = a_drawer()
    drawer.open()
    socket.is_drawer_open = True
    drawer.report()
    hands.at_ms += 60_000
    assert drawer.report().state.last_fault == "drawer.left_open"
    socket.is_drawer_open, socket.state = None, "offline"
    assert drawer.report().state.state == "degraded", "nobody has closed it"
    socket.is_drawer_open, socket.state = True, "ok"
    assert drawer.report().state.last_fault == "drawer.left_open"
    assert drawer.report().counters["opened"] == 1


def test_a_drawer_that_stood_open_when_the_box_started_is_only_left_open() -> None:
    drawer, socket, hands = a_drawer()
    socket.closed_at_ms = None
    socket.is_drawer_open = True
    assert drawer.report().state.state == "ready"
    hands.at_ms += 60_000
    assert drawer.report().state.last_fault == "drawer.left_open"


def test_a_drawer_found_open_behind_a_printer_that_was_off_has_been_forced() -> None:
    drawer, socket, hands = a_drawer()
    socket.is_drawer_open = None
    drawer.report()
    hands.at_ms += 600_000
    socket.is_drawer_open = True
    assert drawer.report().state.last_fault == "drawer.forced"


def test_a_drawer_behind_a_printer_that_is_away_is_not_called_ready() -> None:
    drawer, socket, _ = a_drawer()
    socket.is_drawer_open, socket.state = None, "offline"
    state = drawer.report().state
    assert (state.state, state.last_fault) == ("failed", "drawer.no_printer")
    assert drawer.self_test() == "drawer.no_printer"
    socket.state = "paper_out"
    assert drawer.report().state.state == "ready"
    assert drawer.self_test() == "passed"
