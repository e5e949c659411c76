import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge.clock import SystemClock
from edge.device.framing import ScannerLayout
from edge.device.scanner import EvdevScanner
from edge.device.supervisor import DeviceFaultError, StateBoard, Supervisor

CLOCK = SystemClock()


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_work_that_fails_is_tried_again_until_it_goes_well() -> None:
    board = StateBoard(CLOCK)
    tries: list[str] = []

    def work(stop: threading.Event) -> None:
        tries.append(board.read().state)
        if len(tries) == 1:
            raise DeviceFaultError("scanner.unplugged", is_absent=True)
        if len(tries) == 2:
            raise RuntimeError("a driver's own fault")
        board.write("ready")
        stop.wait()

    supervisor = Supervisor("scanner", work, board)
    supervisor.start()
    supervisor.start()
    until(lambda: board.read().state == "ready")
    assert tries == ["connecting", "absent", "failed"]
    assert board.read().last_fault == "device.work_failed"
    supervisor.stop()
    supervisor.stop()
    assert board.read().state == "absent"


def test_the_time_of_a_state_stays_while_it_lasts() -> None:
    board = StateBoard(CLOCK)
    board.write("failed", "scanner.in_use")
    since_ms = board.read().since_ms
    time.sleep(0.01)
    board.write("failed", "scanner.not_readable")
    assert (board.read().since_ms, board.read().last_fault) == (since_ms, "scanner.not_readable")


def test_a_scanner_that_is_not_plugged_in_is_absent_and_waited_for(tmp_path: Path) -> None:
    scanner = EvdevScanner(str(tmp_path / "scanner-1"), ScannerLayout(), CLOCK)
    scanner.start(lambda _: None)
    until(lambda: scanner.state().last_fault == "scanner.absent")
    assert scanner.state().state == "absent"
    scanner.stop()
