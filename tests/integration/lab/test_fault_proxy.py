"""The bad line does what it says, and nothing else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fault_proxy import FaultProxy
from tests.lab.net import LOOPBACK


class Echo:
    """Says back what it hears; remembers it."""

    def __init__(self, server: socket.socket) -> None:
        self.heard = b""
        self._server = server
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65_536):
                    self.heard += data
                    connection.sendall(data)
            except OSError:
                return


@pytest.fixture
def echo() -> Iterator[tuple[Echo, int]]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield Echo(server), server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo: tuple[Echo, int]) -> Iterator[FaultProxy]:
    running = FaultProxy(echo[1]).start()
    yield running
    running.stop()


def dial(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxy.port), timeout=5)


def ask(line: socket.socket, data: bytes) -> bytes:
    line.sendall(data)
    return receive(line, len(data))


def receive(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size and (data := line.recv(65_536)):
        found += data
    return found


def is_silent(line: socket.socket, seconds: float) -> bool:
    line.settimeout(seconds)
    try:
        line.recv(1)
    except TimeoutError:
        return True
    finally:
        line.settimeout(5)
    return False


def test_without_toxics_everything_passes_both_ways(proxy: FaultProxy) -> None:
    with dial(proxy) as line:
        blob = bytes(range(256)) * 4_000
        threading.Thread(target=line.sendall, args=(blob,)).start()
        assert receive(line, len(blob)) == blob
    assert (proxy.connections, proxy.up.passed_bytes) == (1, len(blob))


def test_latency_is_paid_once_by_bytes_that_travel_together(proxy: FaultProxy) -> None:
    proxy.up.latency_ms = proxy.down.latency_ms = 50
    proxy.down.jitter_ms = 10
    with dial(proxy) as line:
        started = time.monotonic()
        for number in range(10):
            line.sendall(bytes([number]))
            time.sleep(0.002)
        assert receive(line, 10) == bytes(range(10))
        assert 0.1 <= time.monotonic() - started < 0.4


def test_bandwidth_and_stalls_slow_it_down(proxy: FaultProxy) -> None:
    proxy.up.bytes_per_s = 10_000
    with dial(proxy) as line:
        started = time.monotonic()
        assert ask(line, b"x" * 1_000) == b"x" * 1_000
        assert time.monotonic() - started >= 0.1
        proxy.heal()
        proxy.up.stall_share, proxy.up.stall_ms = 1.0, 80
        started = time.monotonic()
        assert ask(line, b"y") == b"y"
        assert time.monotonic() - started >= 0.08


def test_one_byte_slices_arrive_in_order(proxy: FaultProxy) -> None:
    proxy.up.slice_bytes = proxy.down.slice_bytes = 1
    with dial(proxy) as line:
        assert ask(line, bytes(range(200))) == bytes(range(200))


def test_a_reset_in_the_middle_lets_the_first_bytes_through(
    proxy: FaultProxy, echo: tuple[Echo, int]
) -> None:
    proxy.up.reset_after_bytes = 7
    with dial(proxy) as line:
        line.sendall(b"0123456789")
        with pytest.raises(ConnectionResetError):
            receive(line, 10)
    assert (echo[0].heard, proxy.cuts) == (b"0123456", 1)
    with dial(proxy) as line:
        assert ask(line, b"0123456789") == b"0123456789"


@pytest.mark.parametrize(("is_cut_after", "heard"), [(True, b"COMMIT"), (False, b"")])
def test_a_cut_at_certain_bytes_comes_before_or_after_them(
    proxy: FaultProxy, echo: tuple[Echo, int], *, is_cut_after: bool, heard: bytes
) -> None:
    proxy.up.cut_at, proxy.up.is_cut_after = b"COMMIT", is_cut_after
    proxy.down.is_swallowing = True
    with dial(proxy) as line:
        line.sendall(b"COMMIT")
        with pytest.raises(ConnectionResetError):
            line.recv(1)
    assert echo[0].heard == heard


def test_half_open_swallows_and_neither_side_hears_of_it(proxy: FaultProxy) -> None:
    with dial(proxy) as line:
        assert ask(line, b"a") == b"a"
        proxy.swallow()
        line.sendall(b"lost")
        assert is_silent(line, 0.1)
        proxy.heal()
        assert ask(line, b"b") == b"b"


def test_a_partition_holds_old_and_new_connections_and_loses_nothing(proxy: FaultProxy) -> None:
    with dial(proxy) as line:
        proxy.partition()
        line.sendall(b"later")
        with dial(proxy) as other:
            other.sendall(b"too")
            assert is_silent(line, 0.05)
            assert is_silent(other, 0.05)
            proxy.heal()
            assert (receive(line, 5), receive(other, 3)) == (b"later", b"too")


def test_all_connections_end_at_a_word(proxy: FaultProxy) -> None:
    with dial(proxy) as line:
        assert ask(line, b"a") == b"a"
        proxy.end_all("close")
        assert line.recv(1) == b""
    with dial(proxy) as line:
        assert ask(line, b"a") == b"a"
        proxy.end_all("reset")
        with pytest.raises(ConnectionResetError):
            line.recv(1)


def test_a_target_that_is_away_ends_the_connection(tmp_path: Path) -> None:
    nowhere = FaultProxy(tmp_path / "no.sock").start()
    with dial(nowhere) as line:
        assert line.recv(1) == b""
    nowhere.stop()
