"""What the whole device layer costs: memory over a box without one, and the way of a scan."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from edge.device.virtual_printer import VirtualPrinter
from tests.bench.figure import Figure, percentile, spread
from tests.builders import a_gtin
from tests.lab.net import LOOPBACK

GOAL_MB = 20.0
GOAL_MS = 5.0
PAPER_COLUMNS = 48
_CONFIG = Path(__file__).resolve().parents[2] / "firmware-config"
SENSORS = _CONFIG / "sensors.example.toml"
UNIT = _CONFIG / "box" / "root" / "etc" / "systemd" / "system" / "tillbox-edge.service"


def measure(folder: Path) -> list[Figure]:
    """Four printers, two scanners, a scale, two displays and a store's sensors, all at work."""
    (folder / "sensors.toml").write_bytes(SENSORS.read_bytes())
    found = _measured(folder)
    more_mb = (found["full_kb"] - found["base_kb"]) / 1024
    base_mb = found["base_kb"] / 1024
    ready = sum(state == "ready" for state in found["states"].values())
    took = found["took_ms"]
    return [
        Figure(
            "resident memory of the device layer over the rest of a box",
            "MB",
            more_mb,
            GOAL_MB,
            base_mb,
            "the rest of a box",
            f"{len(found['states'])} devices, {ready} of them there; a receipt {found['outcome']}",
        ),
        Figure(
            "last character of a serial scan written -> code queued, p99",
            "ms",
            percentile(took, 0.99),
            GOAL_MS,
            _pipe_ms(),
            "one byte through a terminal, p99",
            spread(took, "ms"),
        ),
    ]


def _measured(folder: Path) -> dict[str, Any]:
    with ExitStack() as stack:
        printer = VirtualPrinter(LOOPBACK, 0, PAPER_COLUMNS)
        printer.start()
        stack.callback(printer.stop)
        scale = stack.enter_context(_silent_scale())
        host, device = pty.openpty()
        tty.setraw(device)
        stack.callback(os.close, host)
        stack.callback(os.close, device)
        command = [sys.executable, "-m", "tests.bench.devices_child", str(folder)]
        command += [str(printer.address[1]), str(scale), os.ttyname(device)]
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_as_in_the_unit()
        )
        stack.enter_context(child)
        assert child.stdin is not None
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
            if not line.strip().isdecimal():
                continue
            time.sleep(0.005)
            os.write(host, a_gtin(1 + int(line)).encode())
            written = time.perf_counter()
            os.write(host, b"\r")
            child.stdin.write(f"{written}\n")
            child.stdin.flush()
        raise AssertionError("the device layer died")


def _as_in_the_unit() -> dict[str, str]:
    """A box's surroundings, as its systemd unit makes them."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    given = [line.removeprefix("Environment=") for line in lines if line.startswith("Environment=")]
    return {**os.environ, **dict(each.split("=", 1) for each in given)}


@contextmanager
def _silent_scale() -> Iterator[int]:
    """A scale that answers nothing."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        held: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(listening.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield int(listening.getsockname()[1])


def _pipe_ms(rounds: int = 200) -> float:
    host, device = pty.openpty()
    tty.setraw(device)
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        os.write(host, b"1")
        os.read(device, 1)
        took.append((time.perf_counter() - began) * 1000)
    os.close(host)
    os.close(device)
    return percentile(took, 0.99)
