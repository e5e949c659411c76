"""Scan at the device port -> view pushed, with 100,000 items and a 50-line basket."""

from __future__ import annotations

import socket
import threading
import time

from tests.bench.catalogue import OPERATOR, PIN, gtin_of
from tests.bench.figure import Figure, percentile, spread
from tests.bench.lab_box import BUSINESS_DATE, LabBox
from tests.demo.till_client import ScannerPort, TillClient
from tests.lab.net import LOOPBACK

LINES = 50
SCANS = 400
PAUSE_S = 0.02
GOAL_MS = 10.0


def fill_basket(till: TillClient, scanner: ScannerPort, lines: int) -> None:
    """Sign in, open the day if need be, and scan that many different items."""
    till.sign_in(OPERATOR, PIN)
    till.follow()
    if till.view["state"] == "day_closed":
        till.call("POST", "/v1/day/open", {"business_date": BUSINESS_DATE})
        till.wait(lambda view: view["state"] != "day_closed", "the day to open")
    for number in range(lines):
        scan_and_wait(till, scanner, gtin_of(number * 1999))


def scan_and_wait(till: TillClient, scanner: ScannerPort, code: str) -> float:
    """Scan one code; the seconds until the view with it has arrived."""
    wanted = till.view["scans"] + 1
    began = time.perf_counter()
    scanner.scan([code])
    till.wait(lambda view: view["scans"] >= wanted, f"scan {wanted}")
    return time.perf_counter() - began


def measure(box: LabBox) -> Figure:
    """Repeat scans into a full basket: its size stays, as do the bytes of the view."""
    till, scanner = TillClient(box.port), ScannerPort(box.scanner_port)
    fill_basket(till, scanner, LINES)
    took = []
    for number in range(SCANS):
        time.sleep(PAUSE_S)
        took.append(1000 * scan_and_wait(till, scanner, gtin_of(number % LINES * 1999)))
    size = len(str(till.view))
    lines = len(till.view["basket"]["lines"])
    assert lines == LINES, lines
    till.close()
    scanner.close()
    return Figure(
        f"scan at the device port -> view pushed, 100,000 items, {LINES}-line basket, p99",
        "ms",
        percentile(took, 0.99),
        GOAL_MS,
        _echo_ms(size),
        "loopback echo of as many bytes, p99",
        spread(took, "ms"),
    )


def _echo_ms(size: int) -> float:
    """What two processes' worth of loopback costs: a short line there, `size` bytes back."""
    with socket.create_server((LOOPBACK, 0)) as server:
        threading.Thread(target=_answer, args=(server, b"x" * size), daemon=True).start()
        took = []
        with socket.create_connection(server.getsockname()) as line:
            for _ in range(SCANS):
                time.sleep(PAUSE_S / 10)
                began = time.perf_counter()
                line.sendall(b"6900000000000\r\n")
                left = size
                while left:
                    left -= len(line.recv(left))
                took.append(1000 * (time.perf_counter() - began))
    return percentile(took, 0.99)


def _answer(server: socket.socket, payload: bytes) -> None:
    line, _ = server.accept()
    with line:
        while line.recv(100):
            line.sendall(payload)
