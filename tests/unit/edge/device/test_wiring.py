import tomllib
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.escpos import PrinterProfile
from edge.device.printer import AbsentPrinter, NetworkPrinter
from edge.device.scanner import EvdevScanner
from edge.device.virtual import VirtualScanner
from edge.device.wiring import build_devices
from edge.device.wiring_printer import profile_of
from edge.settings import load_settings, parse_settings
from shared.kernel.errors import RefusedError

CLOCK = SystemClock()
CONFIG = Path(__file__).resolve().parents[4] / "firmware-config"
FRAGMENTS = sorted(CONFIG.glob("*/*.toml"))


def settings_of(document: str):
    return parse_settings(Path("data"), tomllib.loads(document))


def test_a_box_without_settings_has_scanners_and_no_printer() -> None:
    devices = build_devices(settings_of("[box]\nlanes=2"), CLOCK)
    assert {lane: type(each) for lane, each in devices.scanners.items()} == {
        1: EvdevScanner,
        2: EvdevScanner,
    }
    assert isinstance(devices.printer, AbsentPrinter)
    assert devices.virtual is None


def test_training_devices_start_scan_print_and_stop() -> None:
    document = '[box]\ntraining=true\nlanes=2\n[scanner]\nkind="virtual"\n[printer]\nkind="virtual"'
    devices = build_devices(settings_of(document + "\nport=0"), CLOCK)
    codes: list[tuple[int, str]] = []
    devices.start(lambda lane, code: codes.append((lane, code)))
    assert devices.virtual is not None
    assert devices.virtual.printer is not None
    assert all(isinstance(each, VirtualScanner) for each in devices.scanners.values())
    devices.virtual.scanners[2].scan("42")
    assert codes == [(2, "42")]
    assert isinstance(devices.printer, NetworkPrinter)
    assert devices.drawer.open()
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
