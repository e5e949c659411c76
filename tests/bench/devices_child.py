"""The device layer in a process of its own, beside what a box loads anyway; prints JSON.

Arguments: a data folder, the port of a network printer, the port of a scale, the path of a serial
scanner's terminal.
"""

from __future__ import annotations

import gc
import json
import queue
import sys
import time
from pathlib import Path

import edge.desk.desk
import edge.http.app
import edge.journal.store
import edge.replica.store
import edge.sale.service
import edge.sync.service  # noqa: F401 - the base that a box without devices has
from edge.clock import SystemClock
from edge.device.ports import PrintJob
from edge.settings import parse_settings
from shared.sale.receipt import ReceiptLine

SETTLED_S = 4.0
CODES = 200


def main(arguments: list[str]) -> None:
    """Measure memory before and with everything at work, then the way of a scan."""
    folder, printer, scale, terminal = Path(arguments[0]), *arguments[1:]
    document = {
        "box": {"lanes": 2},
        "scanner": {"kind": "serial", "path": terminal},
        "printer": {"kind": "network", "port": int(printer)},
        "printer_2": {"kind": "file", "device": "/dev/usb/lp-that-is-not-there"},
        "printer_3": {"kind": "serial", "device": "/dev/ttyS-that-is-not-there"},
        "printer_4": {"kind": "usb", "vendor_id": 1, "product_id": 1},
        "scale": {"kind": "toledo8217", "path": f"socket://127.0.0.1:{scale}"},
        "display": {"kind": "epson", "path": "/dev/ttyS-that-is-not-there"},
        "shelf": {"kind": "mqtt", "port": 9},
    }
    base_kb = resident_kb()
    import edge.device.escpos  # noqa: PLC0415 - what is measured
    from edge.device.wiring import build_devices  # noqa: PLC0415

    devices = build_devices(parse_settings(folder, document), SystemClock())
    heard: queue.Queue[tuple[float, str]] = queue.Queue(1000)
    devices.start(lambda _, code: heard.put((time.perf_counter(), code)))
    first = devices.printers.of(1)
    lines = [ReceiptLine(f"农夫山泉饮用天然水 550ml {n}") for n in range(40)]
    outcome = first.port.print(PrintJob("1", edge.device.escpos.encode(lines, first.profile)))
    time.sleep(SETTLED_S)
    full_kb = resident_kb()
    took_ms = scans(heard)
    states = {each.id: each.state.state for each in devices.reports()}
    devices.stop()
    print(  # noqa: T201 - the parent reads it
        json.dumps(
            {
                "base_kb": base_kb,
                "full_kb": full_kb,
                "took_ms": took_ms,
                "outcome": outcome,
                "states": states,
            }
        ),
        flush=True,
    )


def scans(heard: queue.Queue[tuple[float, str]]) -> list[float]:
    """Ask the parent for one code after the other; how long each was on its way."""
    took = []
    for number in range(CODES):
        print(number, flush=True)  # noqa: T201 - the parent writes that code into the terminal
        written = float(sys.stdin.readline())
        took.append((heard.get(timeout=10)[0] - written) * 1000)
    return took


def resident_kb() -> int:
    """Resident memory of this process."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    main(sys.argv[1:])
