import tomllib
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.escpos import PrinterProfile
from edge.device.printer import AbsentPrinter, StatusPrinter
from edge.device.virtual import VirtualScanner
from edge.device.wiring import build_devices
from edge.device.wiring_printer import profile_of
from edge.device.wiring_scanner import _is_elsewhere
from edge.settings import load_settings, parse_settings
from shared.kernel.errors import RefusedError

CLOCK = SystemClock()
CONFIG = Path(__file__).resolve().parents[4] / "firmware-config"
FRAGMENTS = sorted(CONFIG.glob("*/*.toml"))


def settings_of(document: str):
    return parse_settings(Path("data"), tomllib.loads(document))


def test_a_box_without_settings_has_scanners_and_no_printer() -> None:
    devices = build_devices(settings_of("[box]\nlanes=2"), CLOCK)
    assert list(devices.scanners) == [1, 2]
    assert isinstance(devices.printers.of(2).port, AbsentPrinter)
    assert {each.kind for each in devices.reports()} <= {"scanner"}
    assert devices.virtual is None


def test_training_devices_start_scan_print_and_stop() -> None:
    document = '[box]\ntraining=true\nlanes=2\n[scanner]\nkind="virtual"\n[printer]\nkind="virtual"'
    devices = build_devices(settings_of(document + "\nport=0"), CLOCK)
    codes: list[tuple[int, str]] = []
    devices.start(lambda lane, code: codes.append((lane, code)))
    assert devices.virtual is not None
    assert list(devices.virtual.printers) == ["printer-1"]
    assert all(isinstance(each, VirtualScanner) for each in devices.scanners.values())
    devices.virtual.scanners[2].scan("42")
    assert codes == [(2, "42")]
    assert isinstance(devices.printers.of(1).port, StatusPrinter)
    assert devices.printers.of(2).drawer.open()
    assert {each.id for each in devices.reports()} >= {"printer-1", "drawer-1"}
    devices.stop()
    devices.stop()


def test_virtual_scanners_of_several_lanes_take_neighbouring_ports() -> None:
    document = '[box]\ntraining=true\nlanes=3\n[scanner]\nkind="virtual"\nport=9200'
    virtual_devices = build_devices(settings_of(document), CLOCK).virtual
    assert virtual_devices is not None
    assert [each.port for each in virtual_devices.scanners.values()] == [9200, 9201, 9202]


@pytest.mark.parametrize(
    ("section", "name"),
    [("scanner", "terminator"), ("printer", "completion")],
)
def test_a_setting_that_names_nothing_known_is_refused(section: str, name: str) -> None:
    kind = '\nkind="network"' if section == "printer" else ""
    with pytest.raises(RefusedError) as problem:
        build_devices(settings_of(f'[{section}]{kind}\n{name}="semaphore"'), CLOCK)
    assert problem.value.params["field"] == f"{section}.{name}"


FOUR = """
[box]
lanes = 3
[printer]
kind = "network"
lanes = [1]
[printer_2]
kind = "usb"
vendor_id = 0x04b8
product_id = 0x0e15
lanes = [2]
failover = false
width_chars = 32
[printer_3]
kind = "serial"
device = "/dev/ttyUSB0"
[printer_4]
kind = "file"
lanes = [2, 1]
"""


@pytest.mark.parametrize(
    ("lane", "ids"),
    [
        (1, ["printer-1", "printer-4", "printer-3"]),
        (2, ["printer-2", "printer-4", "printer-3", "printer-1"]),
        (3, ["printer-3", "printer-1", "printer-4"]),
    ],
)
def test_a_lane_has_its_own_printer_and_helpers_in_order(lane: int, ids: list[str]) -> None:
    """Those that name the lane, those of every lane, then who helps others."""
    printers = build_devices(settings_of(FOUR), CLOCK).printers
    assert [printers.every[n].id for n in printers.order_for(lane)] == ids
    assert printers.of(lane).id == ids[0]


def test_every_kind_of_plug_has_a_place_that_a_person_finds() -> None:
    reports = build_devices(settings_of(FOUR), CLOCK).printers.reporting
    found = {each.report().id: each.report() for each in reports}
    assert [found[f"printer-{n}"].address for n in range(1, 5)] == [
        *("127.0.0.1:9100", "04b8:0e15", "/dev/ttyUSB0", "/dev/usb/lp0")
    ]
    assert [found[f"drawer-{n}"].lane for n in range(1, 5)] == [1, 2, 0, 0]


@pytest.mark.parametrize(
    ("line", "field"),
    [("lanes = [4]", "lanes"), ('parity = "mark"', "parity"), ("vendor_id = 65536", "vendor_id")],
)
def test_a_wrong_printer_is_refused_by_section_and_field(line: str, field: str) -> None:
    with pytest.raises(RefusedError) as problem:
        settings_of(f'[box]\nlanes = 3\n[printer_2]\nkind = "usb"\n{line}')
    assert problem.value.params["field"] == f"printer_2.{field}"


def test_the_profile_of_a_printer_comes_from_its_settings() -> None:
    document = '[printer]\nwidth_chars=32\nencoding="cp437"\ncut="none"'
    assert profile_of(settings_of(document).printer) == PrinterProfile(32, "cp437", "none")
    with pytest.raises(RefusedError):
        profile_of(settings_of('[printer]\nencoding="utf-7"').printer)


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_every_fragment_is_read_as_the_box_reads_it(path: Path) -> None:
    settings = parse_settings(Path("data"), tomllib.loads(path.read_text(encoding="utf-8")))
    build_devices(settings, CLOCK)
    profile_of(settings.printer)


def test_the_example_names_every_setting(tmp_path: Path) -> None:
    text = (CONFIG / "edge.example.toml").read_text(encoding="utf-8")
    (tmp_path / "edge.toml").write_text(text, encoding="utf-8")
    settings = load_settings(tmp_path)
    build_devices(settings, CLOCK)
    given = tomllib.loads(text)
    for section in given:
        assert set(given[section]) == set(getattr(settings, section).__dataclass_fields__)


def test_a_port_that_the_scale_is_set_to_is_never_looked_at_for_a_scanner(tmp_path: Path) -> None:
    node = tmp_path / "ttyUSB3"
    node.touch()
    settings = settings_of(
        '[box]\nlanes=2\n[scale]\nkind="toledo8217"\npath="/dev/tillbox/scale-{lane}"'
    )
    assert not _is_elsewhere(settings, str(node))
    assert _is_elsewhere(settings, "/dev/tillbox/scale-2")


@pytest.mark.parametrize(
    "section",
    [
        '[scanner]\nkind="evdev"\npath="{path}"',
        '[scale]\nkind="toledo8217"\npath="{path}"',
        '[display]\nkind="epson"\npath="{path}"',
    ],
)
def test_odd_braces_in_a_path_are_part_of_its_name(section: str) -> None:
    devices = build_devices(settings_of(section.replace("{path}", "/dev/{0}-{lane}-{x}")), CLOCK)
    assert "/dev/{0}-1-{x}" in [each.address for each in devices.reports()]
    assert devices.self_tests()
