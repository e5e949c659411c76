"""How a box feels, as it tells it."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from edge.device.ports import DeviceReport, DeviceState, PrinterCapability
from edge.ops.latency import LIMITS_MS, Histogram, Stopwatches
from edge.ops.machine import Machine
from edge.ops.telemetry import ClockState, TelemetryParts, TelemetrySender
from shared.wire.message import Telemetry, parse_message
from tests.lab.cloud_api import SettableClock


def test_percentiles_are_at_most_a_tenth_too_high_and_begin_anew() -> None:
    histogram = Histogram()
    for took_ms in range(1, 1001):
        histogram.add(took_ms)
    found = histogram.take()
    assert found.count == 1000
    assert found.p50_ms is not None
    assert found.p99_ms is not None
    assert 500 <= found.p50_ms <= 550
    assert 990 <= found.p99_ms <= 1090
    assert histogram.take().p50_ms is None


def test_what_takes_for_ever_counts_as_the_longest() -> None:
    histogram = Histogram()
    histogram.add(10**9)
    histogram.add(-5)
    assert histogram.take().p99_ms == LIMITS_MS[-1]


def test_a_scan_is_measured_to_its_view_and_a_sale_to_its_acknowledgement() -> None:
    clock = SettableClock()
    is_online = True
    watches = Stopwatches(clock.mono_ms, lambda: is_online)
    shown: Future[None] = Future()
    watches.scanned(shown)
    clock.at_ms += 40
    shown.set_result(None)
    watches.sold(7)
    watches.sold(9)
    clock.at_ms += 200
    watches.acked(8)
    is_online = False
    watches.sold(10)
    clock.at_ms += 10**6
    watches.acked(10)
    scans, sync = watches.scans.take(), watches.sync.take()
    assert (scans.count, sync.count) == (1, 2)
    assert scans.p50_ms is not None
    assert 40 <= scans.p50_ms <= 44


def put(root: Path, place: str, text: str) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_text(text)


def test_the_machine_is_read_where_the_kernel_tells(tmp_path: Path) -> None:
    put(tmp_path, "proc/uptime", "3600.51 7000.00\n")
    put(tmp_path, "proc/loadavg", "0.25 0.1 0.0 1/99 1\n")
    put(tmp_path, "sys/class/thermal/thermal_zone0/temp", "61234\n")
    put(tmp_path, "sys/class/thermal/thermal_zone1/temp", "broken\n")
    put(tmp_path, "sys/class/hwmon/hwmon2/name", "rpi_volt\n")
    put(tmp_path, "sys/class/hwmon/hwmon2/in0_lcrit_alarm", "1\n")
    put(tmp_path, "sys/block/mmcblk0/device/life_time", "0x02 0x05\n")
    machine = Machine(tmp_path, tmp_path)
    assert (machine.uptime_s(), machine.load_milli()) == (3600, 250)
    assert (machine.temperature_mc(), machine.is_undervolted()) == (61_234, True)
    assert machine.wear_percent() == 50
    free_mb, size_mb = machine.disk_mb()
    assert 0 < free_mb <= size_mb


def test_a_machine_that_tells_nothing_is_asked_without_harm(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "gone", tmp_path)
    assert machine.disk_mb() == (0, 0)
    found = (
        machine.temperature_mc(),
        machine.is_undervolted(),
        machine.wear_percent(),
        machine.memory_mb(),
        machine.load_milli(),
        machine.certificate_days("none.pem", 0),
    )
    assert found == (None,) * len(found)


def test_a_box_tells_what_it_has_and_never_waits_for_the_line(tmp_path: Path) -> None:
    clock, said = SettableClock(), []
    report = DeviceReport(
        "printer-1", "printer", 0, "x", "y", PrinterCapability(), DeviceState("ready", 0)
    )
    parts = TelemetryParts(
        machine=Machine(tmp_path),
        clock=clock,
        clock_state=lambda: ClockState(2, -15),
        queue=lambda: 3,
        reports=lambda: (report,) * 70,
        watches=Stopwatches(clock.mono_ms, lambda: True),
        tell=lambda told: said.append(told) is not None,
        jitter=lambda: 0.0,
    )
    sender = TelemetrySender(parts)
    assert not sender.send()
    told = parse_message(Telemetry, said[0])
    assert (told.clk, told.clock_off_ms, told.queue, told.scans) == (2, -15, 3, 0)
    assert len(told.devices) == 64
    assert told.scan_p99_ms is None
