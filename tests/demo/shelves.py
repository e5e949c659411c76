"""The first store's shelf sensors, on a broker of its own where this machine has Mosquitto."""

from __future__ import annotations

from pathlib import Path

from tests.lab.store_broker import StoreBroker

SHELF = "shelf-a3"
PIECE_G, TRAY_G = 500, 200
PASSWORD_FILE = "shelf.secret"
EDGE_TOML = """
[shelf]
kind = "virtual"
port = {port}
password_file = "{password_file}"
"""
# A demo has seconds where a store has minutes.
SENSORS_TOML = """\
[[sensor]]
name = "shelf-a3"
kind = "weight"
label = "A3"
gtin = "{gtin}"
piece_g = 500
tare_g = 200
threshold = 3
minutes = 0.05
hold_s = 1

[[sensor]]
name = "fridge-b1"
kind = "temperature"
label = "B1"
min_celsius = 0
max_celsius = 7
minutes = 0.05
door = "fridge-b1-door"
door_grace_minutes = 0.05

[[sensor]]
name = "fridge-b1-door"
kind = "door"
label = "B1"
"""


class StoreShelves:
    """Three virtual sensors of one store: a shelf with `gtin`, a fridge and its door."""

    def __init__(self, folder: Path, port: int) -> None:
        self.gtin = ""
        self._broker: StoreBroker | None = None
        if port and StoreBroker.is_possible():
            self._broker = StoreBroker(folder, box_port=port, is_training=True)
        self._is_started = False

    def set_up(self, data: Path) -> str:
        """Write the box's files; what belongs into its edge.toml, "" without an item."""
        if not self.gtin:
            return ""
        (data / "sensors.toml").write_text(SENSORS_TOML.format(gtin=self.gtin))
        if self._broker is None:
            return EDGE_TOML.format(port=0, password_file="")
        return EDGE_TOML.format(port=self._broker.box_port, password_file=PASSWORD_FILE)

    def start(self, data: Path) -> None:
        """Start the broker, if there is one and it does not run."""
        if self._broker is None or self._is_started or not (data / "sensors.toml").exists():
            return
        (data / PASSWORD_FILE).write_text(self._broker.box_password)
        self._broker.start()
        self._is_started = True

    def stop(self) -> None:
        """End the broker."""
        if self._broker is not None and self._is_started:
            self._broker.stop()
            self._is_started = False


def grams_of(pieces: int) -> int:
    """Where the shelf's slider stands with so many pieces on it."""
    return TRAY_G + pieces * PIECE_G
