"""What head office may set on boxes, and what no box would understand."""

from __future__ import annotations

from typing import Any

import pytest

from shared.config.box import BOX, BOX_FIELDS, FieldKind, parse_box
from shared.config.settings import check_setting
from shared.kernel.errors import RefusedError


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("box.locale", "zh-TW", "zh-TW"),
        ("drawer.left_open_s", 0, 0),
        ("self_test.at", "", ""),
        ("self_test.at", "23:59", "23:59"),
        ("scale.is_automatic", True, True),
        ("barcode.country", "", ""),
        ("barcode.weight_prefixes", [20, 2], (20, 2)),
        ("barcode.member_prefixes", [], ()),
    ],
)
def test_a_value_is_read_as_its_kind_says(field: str, value: object, found: object) -> None:
    check_setting(BOX + field, {"value": value})
    assert parse_box(field, {"value": value}) == found


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("box.locale", {"value": "fr"}, "config.value"),
        ("box.locale", {"value": None}, "config.value"),
        ("box.locale", {}, "config.value"),
        ("box.locale", {"value": "en", "lane": 1}, "config.value"),
        ("drawer.left_open_s", {"value": 3601}, "config.value"),
        ("drawer.left_open_s", {"value": True}, "config.value"),
        ("drawer.left_open_s", {"value": "60"}, "config.value"),
        ("self_test.at", {"value": "24:00"}, "config.value"),
        ("self_test.at", {"value": "3:30"}, "config.value"),
        ("scale.is_automatic", {"value": 1}, "config.value"),
        ("barcode.weight_prefixes", {"value": [20, 20]}, "config.value"),
        ("barcode.weight_prefixes", {"value": [30]}, "config.value"),
        ("barcode.weight_prefixes", {"value": [5]}, "config.value"),
        ("barcode.weight_prefixes", {"value": "20"}, "config.value"),
        ("box.host", {"value": "0.0.0.0"}, "config.name"),
        ("printer.device", {"value": "/dev/sda"}, "config.name"),
        ("", {"value": 1}, "config.name"),
    ],
)
def test_what_no_box_would_understand_is_refused(
    field: str, value: dict[str, Any], code: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        check_setting(BOX + field, value)
    assert refused.value.code == code


def test_no_field_names_a_device_a_path_or_an_address() -> None:
    own = ("path", "device", "host", "port", "file", "kind", "serial", "training", "lanes")
    assert not [name for name in BOX_FIELDS if name.split(".")[1] in own]
    assert {spec.kind for spec in BOX_FIELDS.values()} == set(FieldKind)
