"""A lane keeps its scanner over unplugging, moving and replacement; strangers get none."""

from pathlib import Path

import pytest
from reportlab.graphics.barcode import code128 as code128_of_reportlab

from edge.device import code128
from edge.device.binding import Binding, bind, followed, match, without
from edge.device.binding_store import BindingStore
from edge.device.code128 import bars_of
from edge.device.found import Found, plug_of
from edge.device.pairing import is_pairing_code, matches, new_pairing, token_of

HONEYWELL, CHEAP = "0c2e:0200", "1a86:e026"


def a_found(port: str, serial: str = "", model: str = HONEYWELL, **changed) -> Found:
    fields = {"key": f"{port}/{serial}", "node": "/dev/input/event5", "connection": "keyboard"}
    return Found(**fields | {"port": port, "serial": serial, "model": model} | changed)


def a_binding(lane: int, port: str, serial: str = "", model: str = HONEYWELL) -> Binding:
    return Binding(f"scanner-{lane}", lane, "keyboard", port, serial, model)


def lanes(bindings: list[Binding], founds: list[Found]) -> dict[int, tuple[str, str]]:
    return {each.binding.lane: (each.found.address, each.how) for each in match(bindings, founds)}


def test_a_scanner_is_known_by_port_and_serial_number() -> None:
    bindings = [a_binding(1, "usb-1", "A"), a_binding(2, "usb-2", "B")]
    founds = [a_found("usb-2", "B"), a_found("usb-1", "A")]
    assert lanes(bindings, founds) == {1: ("usb-1 A", "same"), 2: ("usb-2 B", "same")}


def test_a_lane_follows_its_scanner_to_another_port() -> None:
    assert lanes([a_binding(1, "usb-1", "A")], [a_found("usb-4", "A")]) == {1: ("usb-4 A", "moved")}


def test_two_swapped_scanners_stay_with_their_lanes() -> None:
    bindings = [a_binding(1, "usb-1", "A"), a_binding(2, "usb-2", "B")]
    founds = [a_found("usb-1", "B"), a_found("usb-2", "A")]
    assert lanes(bindings, founds) == {1: ("usb-2 A", "moved"), 2: ("usb-1 B", "moved")}


def test_another_of_the_same_model_in_the_same_port_takes_the_place() -> None:
    bindings = [a_binding(1, "usb-1", "A")]
    assert lanes(bindings, [a_found("usb-1", "N")]) == {1: ("usb-1 N", "replaced")}
    assert lanes(bindings, [a_found("usb-1", "N", CHEAP)]) == {}
    assert lanes(bindings, [a_found("usb-1", "A", connection="serial")]) == {}


def test_two_without_serial_numbers_are_told_apart_by_port() -> None:
    bindings = [a_binding(1, "usb-1"), a_binding(2, "usb-2")]
    founds = [a_found("usb-2"), a_found("usb-1")]
    assert lanes(bindings, founds) == {1: ("usb-1", "same"), 2: ("usb-2", "same")}
    assert lanes(bindings, [a_found("usb-3")]) == {}


def test_a_serial_number_that_two_wear_says_nothing() -> None:
    bindings = [a_binding(1, "usb-1", "0001"), a_binding(2, "usb-2", "0001")]
    assert lanes(bindings, [a_found("usb-3", "0001")]) == {}
    one = [a_binding(1, "usb-1", "0001")]
    assert lanes(one, [a_found("usb-3", "0001"), a_found("usb-4", "0001")]) == {}


def test_a_scanner_with_two_keyboards_moves_with_both() -> None:
    bindings = [a_binding(1, "usb-1:1.0", "A"), a_binding(2, "usb-1:1.1", "A")]
    founds = [a_found("usb-7:1.1", "A"), a_found("usb-7:1.0", "A")]
    assert lanes(bindings, founds) == {
        1: ("usb-7:1.0 A", "moved"),
        2: ("usb-7:1.1 A", "moved"),
    }
    assert plug_of("usb-7:1.0") == plug_of("usb-7:1.1") == "usb-7"


def test_a_device_has_one_lane_and_a_lane_one_device_of_each_binding() -> None:
    bindings = [a_binding(1, "usb-1", "A"), a_binding(2, "usb-1", "B")]
    assert lanes(bindings, [a_found("usb-1", "B")]) == {2: ("usb-1 B", "same")}


def test_a_second_scanner_of_a_lane_gets_the_next_id() -> None:
    first = bind((), a_found("usb-1", "A"), 3)
    second = bind((first,), a_found("usb-2", "B"), 3)
    assert (first.id, second.id) == ("scanner-3", "scanner-3b")
    assert bind((second,), a_found("usb-3"), 3).id == "scanner-3"


def test_bindings_of_a_lane_go_when_their_device_is_not_there() -> None:
    gone, there, other = (a_binding(n, f"usb-{n}") for n in (1, 2, 3))
    there = Binding("scanner-1b", 1, "keyboard", "usb-2", "", HONEYWELL)
    assert without((gone, there, other), 1, frozenset({"scanner-1b"})) == (there, other)


@pytest.mark.parametrize(
    ("found", "is_scanner"),
    [
        (a_found("usb-1", model="0c2e:0b61"), True),
        (a_found("usb-1", model="05e0:1200"), True),
        (a_found("usb-1", model="04b4:bca1"), True),
        (a_found("usb-1", model="04b4:0001"), False),
        (a_found("usb-1", model="046d:c31c"), False),
        (a_found("usb-1", model="046d:c31c", is_marked=True), True),
        (a_found("usb-1", model=""), False),
    ],
)
def test_a_keyboard_is_a_scanner_only_when_it_is_known_or_said_to_be(
    found: Found, is_scanner: bool
) -> None:
    assert found.is_scanner is is_scanner


def test_bindings_survive_a_restart(tmp_path: Path) -> None:
    bindings = (a_binding(1, "usb-1", "A"), followed(a_binding(2, "usb-2"), a_found("usb-9", "Z")))
    BindingStore(tmp_path).save(bindings)
    assert BindingStore(tmp_path).load() == bindings
    assert BindingStore(tmp_path / "nowhere").load() == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"scanners": [{"id": 1}]}', '{"scanners": 5}'])
def test_a_file_that_cannot_be_read_is_set_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / "bindings.json").write_text(text, encoding="utf-8")
    store = BindingStore(tmp_path)
    assert store.load() == ()
    assert (tmp_path / "bindings.json.damaged").read_text(encoding="utf-8") == text
    store.save((a_binding(1, "usb-1"),))
    assert len(store.load()) == 1


def test_a_pairing_code_is_known_however_the_scanner_types_it() -> None:
    pairing = new_pairing(1, token_of((0.0, 0.5, 0.25, 0.999)), 1000)
    assert is_pairing_code(pairing.code)
    assert matches(pairing, f" ]C0{pairing.code.lower()} ")
    assert not matches(pairing, new_pairing(2, pairing.code[-4:], 0).code)
    assert not matches(pairing, "TBPAIR-1-ZZZZ")
    assert not is_pairing_code("6901234567892")
    assert not is_pairing_code("TBPAIR-1-7F3K0")


def test_a_pairing_is_open_for_a_minute() -> None:
    pairing = new_pairing(1, "7F3K", 1000)
    assert pairing.is_open(60_999)
    assert pairing.at(61_000).progress == "expired"


def test_a_code_128_symbol_is_what_the_standard_says() -> None:
    # Start B, "A" (33), check (104 + 33) % 103 = 34, stop.
    assert "".join(map(str, bars_of("A"))) == "2112141113231311232331112"
    with pytest.raises(ValueError, match="set B"):
        bars_of("配")


def test_code_128_agrees_with_another_maker_of_symbols() -> None:
    widths = {letter: str(n) for n, letter in enumerate("abcd", 1)}
    theirs = [
        "".join(widths[each.lower()] for each in pattern)
        for value, pattern in sorted(code128_of_reportlab._patterns.items())
        if isinstance(value, int)
    ]
    assert code128._WIDTHS[: len(theirs)] == theirs
    assert len(theirs) >= 106
