import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.shelf_setup import load_sensors, parse_sensors
from edge.device.wiring_shelf import build_shelves
from edge.settings import parse_settings
from shared.kernel.errors import RefusedError
from shared.stock.cold_chain import ColdRule
from shared.stock.shelf import ShelfRule

EXAMPLE = Path(__file__).resolve().parents[4] / "firmware-config" / "sensors.example.toml"
CLOCK = SystemClock()


def sensors_of(text: str):
    return parse_sensors(tomllib.loads(text, parse_float=Decimal))


def jam(**changed: str) -> str:
    fields = {"name": '"jam"', "kind": '"weight"', "gtin": '"6901234567892"', **changed}
    return "[[sensor]]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items())


def test_the_example_is_read_as_the_box_reads_it(tmp_path: Path) -> None:
    (tmp_path / "sensors.toml").write_bytes(EXAMPLE.read_bytes())
    shelf, fridge, door = load_sensors(tmp_path)
    assert shelf.shelf == ShelfRule(500, 200, 10_000, 2_000, 900_000)
    assert fridge.cold == ColdRule(0, 7_000, 900_000, 600_000)
    assert (fridge.door, door.kind, door.silent_ms) == ("fridge-1-door", "door", 600_000)


def test_no_file_means_no_sensors(tmp_path: Path) -> None:
    assert load_sensors(tmp_path) == ()


def test_numbers_with_a_point_are_exact() -> None:
    [sensor] = sensors_of(jam(threshold="0.35", minutes="0.5"))
    assert sensor.shelf is not None
    assert (sensor.shelf.threshold_milli, sensor.shelf.debounce_ms) == (350, 30_000)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (jam(name='"Jam!"'), "name"),
        (jam(kind='"radar"'), "kind"),
        (jam(gtin='"6901234567893"'), "gtin"),
        (jam(piece_g='"500"'), "piece_g"),
        (jam(colour='"red"'), "colour"),
        (jam(threshold="0.0001"), "threshold"),
        (jam(threshold="0"), "piece_g, threshold, minutes, hold_s"),
        (jam() + jam(), "twice"),
        (jam() + jam(name='"jam-2"'), "twice"),
        ('[[sensor]]\nname = "f"\nkind = "temperature"\ndoor = "g"', "door"),
        (
            '[[sensor]]\nname = "f"\nkind = "temperature"\nmin_celsius = 9',
            "min_celsius, max_celsius, minutes",
        ),
        ("sensor = 5", "sensor"),
        ("[other]", "sensor"),
    ],
)
def test_a_mistake_is_named(text: str, field: str) -> None:
    with pytest.raises(RefusedError) as problem:
        sensors_of(text)
    assert problem.value.code == "shelf.setup"
    assert problem.value.params["field"] == field


def shelves_of(folder: Path, section: str):
    return build_shelves(parse_settings(folder, tomllib.loads(section)), CLOCK)


def test_a_box_without_sensors_has_none(tmp_path: Path) -> None:
    shelves = shelves_of(tmp_path, "")
    shelves.start()
    shelves.stop()
    assert shelves.reporting == ()


@pytest.mark.parametrize(
    "broken",
    [
        b"[[sensor]",
        b"\xff",
        b'[[sensor]]\nname = "X"',
        *(
            b'[[sensor]]\nname = "f"\nkind = "temperature"\nminutes = ' + number
            for number in (b"nan", b"inf", b"-inf", b"1e999999999", b"1" + b"0" * 400)
        ),
    ],
)
def test_a_broken_file_is_a_failed_device_and_no_more(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "sensors.toml").write_bytes(broken)
    [report] = [each.report() for each in shelves_of(tmp_path, '[shelf]\nkind="mqtt"').reporting]
    assert (report.id, report.state.state, report.state.last_fault) == (
        "shelf:setup",
        "failed",
        "shelf.setup",
    )
    assert report.address


def test_a_missing_password_file_is_a_failed_device(tmp_path: Path) -> None:
    shelves = shelves_of(tmp_path, '[shelf]\nkind="mqtt"\npassword_file="shelf.secret"')
    [report] = [each.report() for each in shelves.reporting]
    assert report.address == "shelf.password_file"


def test_each_sensor_and_the_line_report(tmp_path: Path) -> None:
    (tmp_path / "sensors.toml").write_bytes(EXAMPLE.read_bytes())
    shelves = shelves_of(tmp_path, '[shelf]\nkind="mqtt"')
    ids = [each.report().id for each in shelves.reporting]
    assert ids == ["shelf:broker", "shelf:jam-left", "shelf:fridge-1", "shelf:fridge-1-door"]
