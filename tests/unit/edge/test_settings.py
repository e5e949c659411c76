"""Reading edge.toml: every mistake is named with its field."""

from pathlib import Path
from typing import Any

import pytest

from edge.settings import load_settings, parse_settings
from shared.kernel.errors import RefusedError

NOWHERE = Path("/nowhere")


def test_an_empty_file_means_defaults() -> None:
    settings = parse_settings(NOWHERE, {})
    assert (settings.box.lanes, settings.training, settings.clock.kind) == (1, False, "system")
    assert settings.lane_numbers() == (1,)


def test_what_is_said_wins() -> None:
    document = {"box": {"lanes": 3, "port": 0, "locale": "en"}, "drawer": {"pin": 5}}
    settings = parse_settings(NOWHERE, document)
    assert settings.lane_numbers() == (1, 2, 3)
    assert (settings.box.port, settings.drawer.pin) == (0, 5)


def test_a_list_of_lanes_is_read() -> None:
    settings = parse_settings(NOWHERE, {"box": {"lanes": 2}, "scale": {"lanes": [2]}})
    assert settings.scale.lanes == (2,)


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        ({"bix": {}}, "settings.unknown", "bix"),
        ({"box": {"prt": 1}}, "settings.unknown", "box.prt"),
        ({"box": 1}, "settings.type", "box"),
        ({"box": {"port": "80"}}, "settings.type", "box.port"),
        ({"box": {"lanes": True}}, "settings.type", "box.lanes"),
        ({"box": {"port": 70_000}}, "settings.value", "box.port"),
        ({"box": {"lanes": 0}}, "settings.value", "box.lanes"),
        ({"box": {"ballast_mb": -1}}, "settings.value", "box.ballast_mb"),
        ({"box": {"locale": "fr"}}, "settings.value", "box.locale"),
        ({"drawer": {"pin": 3}}, "settings.value", "drawer.pin"),
        ({"scanner": {"kind": "magic"}}, "settings.value", "scanner.kind"),
        ({"scale": {"kind": "spring"}}, "settings.value", "scale.kind"),
        ({"scale": {"lanes": [2]}}, "settings.value", "scale.lanes"),
        ({"scale": {"lanes": ["1"]}}, "settings.type", "scale.lanes"),
        ({"scale": {"division_milli": 0}}, "settings.value", "scale.division_milli"),
        ({"scale": {"kind": "virtual"}}, "settings.training", "box.training"),
        ({"display": {"encoding": "gbk"}}, "settings.value", "display.encoding"),
        ({"display": {"kind": "virtual"}}, "settings.training", "box.training"),
        ({"barcode": {"country": "XX"}}, "settings.value", "barcode.country"),
        ({"barcode": {"price_prefixes": [69]}}, "settings.value", "barcode.price_prefixes"),
        ({"barcode": {"price_prefixes": [21]}}, "settings.value", "barcode.price_prefixes"),
        ({"barcode": {"member_prefixes": [20, 20]}}, "settings.value", "barcode.member_prefixes"),
        ({"clock": {"kind": "virtual"}}, "settings.training", "box.training"),
    ],
)
def test_a_mistake_is_named(document: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_settings(NOWHERE, document)
    assert (caught.value.code, caught.value.params["field"]) == (code, field)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text("[box", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"settings\.syntax"):
        load_settings(tmp_path)


def test_no_file_is_fine(tmp_path: Path) -> None:
    assert load_settings(tmp_path).data_dir == tmp_path
