"""What the machine under the box tells of itself; None for what it does not.

Temperature: thermal zones of the kernel (Documentation/driver-api/thermal/sysfs-api.rst), in
milli-degrees. Undervoltage: the Raspberry Pi's hwmon driver `rpi_volt` has one alarm. Wear: eMMC
tells two estimates in steps of a tenth of its life (JEDEC eMMC 5.0, EXT_CSD 268 and 269), SD cards
tell nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

MODEL_MAX = 64
_MB = 1 << 20
_LIFE_STEP_PERCENT = 10
_LIFE_STEPS = range(1, 12)
_VOLT_DRIVER = "rpi_volt"


def hardware_model(root: Path = Path("/")) -> str:
    """What the hardware calls itself, such as "Raspberry Pi 4 Model B Rev 1.4"; "" unknown.

    Boards with a device tree say it there, PCs in their DMI table.
    """
    for place in ("proc/device-tree/model", "sys/class/dmi/id/product_name"):
        with suppress(OSError, ValueError):
            told = " ".join((root / place).read_text(encoding="ascii").replace("\0", " ").split())
            if told and told.isprintable():
                return told[:MODEL_MAX]
    return ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Reads below `root`, which is "/" but in tests; `data_dir` is the disk that matters."""

    data_dir: Path
    root: Path = Path("/")

    def uptime_s(self) -> int:
        """Seconds since the machine was switched on, 0 where nobody knows."""
        words = self._words("proc/uptime")
        return int(float(words[0])) if words else 0

    def disk_mb(self) -> tuple[int, int]:
        """Free for the box, and the size of its disk, in MiB; zeros for a disk that is gone."""
        try:
            room = os.statvfs(self.data_dir)
        except OSError:
            return 0, 0
        return room.f_bavail * room.f_frsize // _MB, room.f_blocks * room.f_frsize // _MB

    def wear_percent(self) -> int | None:
        """How much of the card's life is used up, rounded up to tenths."""
        steps: list[int] = []
        for path in self.root.glob("sys/block/mmcblk*/device/life_time"):
            for word in self._words(path.relative_to(self.root).as_posix()):
                with suppress(ValueError):
                    steps.append(int(word, 16))
        known = [step for step in steps if step in _LIFE_STEPS]
        return max(known) * _LIFE_STEP_PERCENT if known else None

    def temperature_mc(self) -> int | None:
        """The hottest place of the processor, milli-degrees Celsius."""
        found = [
            int(word)
            for path in self.root.glob("sys/class/thermal/thermal_zone*/temp")
            for word in self._words(path.relative_to(self.root).as_posix())[:1]
            if word.lstrip("-").isdigit()
        ]
        return max(found) if found else None

    def is_undervolted(self) -> bool | None:
        """Whether the supply is too weak right now."""
        for path in self.root.glob("sys/class/hwmon/hwmon*"):
            place = path.relative_to(self.root).as_posix()
            if self._words(f"{place}/name")[:1] == [_VOLT_DRIVER]:
                alarm = self._words(f"{place}/in0_lcrit_alarm")
                return alarm[0] == "1" if alarm else None
        return None

    def memory_mb(self) -> int | None:
        """What the box's own process has in memory, MiB."""
        words = self._words("proc/self/statm")
        return int(words[1]) * os.sysconf("SC_PAGE_SIZE") // _MB if len(words) > 1 else None

    def load_milli(self) -> int | None:
        """Thousandths of the one-minute load average."""
        words = self._words("proc/loadavg")
        return int(float(words[0]) * 1000) if words else None

    def certificate_days(self, path: str, now_ms: int) -> int | None:
        """Days until a certificate (PEM file) runs out, negative after it; None for no file."""
        if not path:
            return None
        # Imported late: few boxes have one, and it costs their start.
        from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

        try:
            found = load_pem_x509_certificate((self.root / path).read_bytes())
        except (OSError, ValueError):
            return None
        now = datetime.fromtimestamp(now_ms // 1000, UTC)
        return (found.not_valid_after_utc - now).days

    def _words(self, place: str) -> list[str]:
        try:
            return (self.root / place).read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return []
