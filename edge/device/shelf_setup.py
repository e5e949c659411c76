"""Which sensors a store has and what they watch: `sensors.toml` in the box's data folder.

A mistake in this file must not keep the store from selling: whoever builds the devices shows it as
a fault instead.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from shared.kernel.errors import RefusedError
from shared.kernel.gtin import parse_gtin
from shared.kernel.quantity import ONE_MILLI
from shared.stock.cold_chain import ColdRule
from shared.stock.shelf import ShelfRule
from shared.wire.shelf_sensor import NAME_PATTERN

SENSORS_FILE = "sensors.toml"
SENSORS_MAX = 64
_NAME = re.compile(NAME_PATTERN)
_MINUTE_MS = 60_000
_NUMBER_MAX = 10_000_000
SensorKind = Literal["weight", "temperature", "door"]
_FIELDS: Mapping[str, Mapping[str, type]] = {
    "weight": {
        "gtin": str,
        "piece_g": int,
        "tare_g": int,
        "max_g": int,
        "threshold": Decimal,
        "minutes": Decimal,
        "hold_s": Decimal,
    },
    "temperature": {
        "min_celsius": Decimal,
        "max_celsius": Decimal,
        "minutes": Decimal,
        "door": str,
        "door_grace_minutes": Decimal,
    },
    "door": {},
}
_COMMON = {"name": str, "kind": str, "label": str, "silent_minutes": Decimal}


@dataclass(frozen=True, slots=True)
class SensorSetup:
    """One sensor.  `label` is what people call the place; `silent_ms` without a word is a fault.

    `shelf` and `gtin` for a weight sensor, which carries at most `max_g`; `cold` for a temperature
    sensor, whose door another sensor (or the same one) may tell.
    """

    name: str
    kind: SensorKind
    label: str
    silent_ms: int
    gtin: str = ""
    max_g: int = 0
    shelf: ShelfRule | None = None
    cold: ColdRule | None = None
    door: str = ""


def load_sensors(data_dir: Path) -> tuple[SensorSetup, ...]:
    """The sensors of a box; none without the file.

    Raises RefusedError `shelf.setup` with the sensor and the field to correct.
    """
    path = data_dir / SENSORS_FILE
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomllib.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise RefusedError("shelf.setup", sensor="", field=str(error)[:200]) from error
    return parse_sensors(document)


def parse_sensors(document: Mapping[str, Any]) -> tuple[SensorSetup, ...]:
    """The sensors of a parsed document; raises as `load_sensors` does."""
    tables = document.get("sensor", [])
    if set(document) - {"sensor"} or not isinstance(tables, list) or len(tables) > SENSORS_MAX:
        raise RefusedError("shelf.setup", sensor="", field="sensor")
    found = tuple(_sensor(table) for table in tables)
    for names in ([each.name for each in found], [each.gtin for each in found if each.gtin]):
        for name in names:
            if names.count(name) > 1:
                raise RefusedError("shelf.setup", sensor=name, field="twice")
    doors = {each.name for each in found}
    for each in found:
        if each.door and each.door not in doors:
            raise RefusedError("shelf.setup", sensor=each.name, field="door")
    return found


def _sensor(table: Any) -> SensorSetup:  # noqa: ANN401 - whatever the file holds
    if not isinstance(table, dict):
        raise RefusedError("shelf.setup", sensor="", field="sensor")
    name, kind = str(table.get("name", "")), str(table.get("kind", ""))
    if not _NAME.fullmatch(name):
        raise RefusedError("shelf.setup", sensor=name[:40], field="name")
    if kind not in _FIELDS:
        raise RefusedError("shelf.setup", sensor=name, field="kind")
    reader = _Fields(name, table, {**_COMMON, **_FIELDS[kind]})
    common = (name, reader.text("label", name), reader.span_ms("silent_minutes", "5"))
    if kind == "weight":
        return _weight(reader, *common)
    if kind == "temperature":
        return _temperature(reader, *common)
    return SensorSetup(name, "door", *common[1:])


def _weight(reader: _Fields, name: str, label: str, silent_ms: int) -> SensorSetup:
    try:
        gtin = str(parse_gtin(reader.text("gtin", "")))
    except RefusedError as error:
        raise RefusedError("shelf.setup", sensor=name, field="gtin") from error
    rule = ShelfRule(
        piece_g=reader.whole("piece_g", 0),
        tare_g=reader.whole("tare_g", 0),
        hold_ms=reader.milli("hold_s", "10"),
        threshold_milli=reader.milli("threshold", "2"),
        debounce_ms=reader.span_ms("minutes", "15"),
    )
    if rule.piece_g < 0 or rule.threshold_milli <= 0 or rule.debounce_ms < 0 or rule.hold_ms < 0:
        raise RefusedError("shelf.setup", sensor=name, field="piece_g, threshold, minutes, hold_s")
    max_g = reader.whole("max_g", 0)
    return SensorSetup(name, "weight", label, silent_ms, gtin, max_g, shelf=rule)


def _temperature(reader: _Fields, name: str, label: str, silent_ms: int) -> SensorSetup:
    rule = ColdRule(
        min_milli=reader.milli("min_celsius", "0"),
        max_milli=reader.milli("max_celsius", "8"),
        patience_ms=reader.span_ms("minutes", "15"),
        door_grace_ms=reader.span_ms("door_grace_minutes", "10"),
    )
    if rule.min_milli >= rule.max_milli or rule.patience_ms < 0 or rule.door_grace_ms < 0:
        raise RefusedError("shelf.setup", sensor=name, field="min_celsius, max_celsius, minutes")
    door = reader.text("door", "")
    return SensorSetup(name, "temperature", label, silent_ms, cold=rule, door=door)


class _Fields:
    """The fields of one sensor, each of its type or refused by name."""

    def __init__(self, name: str, table: Mapping[str, Any], known: Mapping[str, type]) -> None:
        self._name = name
        self._table = table
        for field, value in table.items():
            wanted = known.get(field)
            is_number = wanted is Decimal and type(value) in {int, Decimal}
            is_typed = wanted is not None and (is_number or type(value) is wanted)
            if not is_typed or not _is_sane(value):
                raise RefusedError("shelf.setup", sensor=name, field=field[:40])

    def text(self, field: str, default: str) -> str:
        return str(self._table.get(field, default))[:80]

    def whole(self, field: str, default: int) -> int:
        return int(self._table.get(field, default))

    def milli(self, field: str, default: str) -> int:
        """A number with a decimal point in thousandths, exactly."""
        value = Decimal(self._table.get(field, default)) * ONE_MILLI
        if value != int(value):
            raise RefusedError("shelf.setup", sensor=self._name, field=field)
        return int(value)

    def span_ms(self, field: str, default: str) -> int:
        """Minutes in milliseconds."""
        return int(Decimal(self._table.get(field, default)) * _MINUTE_MS)


def _is_sane(value: object) -> bool:
    """TOML has nan, inf and numbers that no shelf bears; they must not end the box's start."""
    if not isinstance(value, int | Decimal):
        return True
    return Decimal(value).is_finite() and -_NUMBER_MAX <= value <= _NUMBER_MAX
