"""The broker of one store as `firmware-config/box/root` sets it up, on ports and files of a test.

Only Mosquitto will do: passwords and topic rights are what it is for.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from cloud.fleet.broker_accounts import MosquittoAccounts
from tests.lab.debian import find_program
from tests.lab.net import LOOPBACK, free_port
from tests.lab.processes import ChildProcess, Command

ETC = Path(__file__).resolve().parents[2] / "firmware-config/box/root/etc/mosquitto"
BOX_USER = "box"


class StoreBroker:
    """Sensors connect to `sensor_port`, the box to `box_port` as "box" with `box_password`.

    With `is_training` the box's account may also publish, for virtual sensors.
    """

    def __init__(self, folder: Path, *, box_port: int = 0, is_training: bool = False) -> None:
        self.folder = folder
        self.sensor_port, self.box_port = free_port(), box_port or free_port()
        self.box_password = secrets.token_urlsafe(12)
        self._is_training = is_training
        self._process: ChildProcess | None = None

    @staticmethod
    def is_possible() -> bool:
        """Whether this machine has Mosquitto."""
        return find_program("mosquitto") is not None

    def start(self, passwords: dict[str, str] | None = None) -> StoreBroker:
        """Write the files, start it, wait until both listeners accept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sensors = self._accounts("tillbox-sensors.passwd")
        for name, password in (passwords or {}).items():
            sensors.put(name, password)
        self._accounts("tillbox-box.passwd").put(BOX_USER, self.box_password)
        for name in ("tillbox-sensors.acl", "tillbox-box.acl"):
            acl = (ETC / name).read_text(encoding="utf-8")
            if self._is_training:
                acl = acl.replace("topic read tb/s/#", "topic readwrite tb/s/#")
            (self.folder / name).write_text(acl, encoding="utf-8")
        config = self.folder / "mosquitto.conf"
        config.write_text(self._config(), encoding="utf-8")
        arguments = [find_program("mosquitto") or "mosquitto", "-c", str(config)]
        command = Command(name="store broker", arguments=arguments, log=self.folder / "broker.log")
        self._process = ChildProcess(command).start()
        self._process.wait_port(self.sensor_port).wait_port(self.box_port)
        return self

    def stop(self) -> None:
        """End it; its clients see the connection close."""
        if self._process is not None:
            self._process.stop()

    def _accounts(self, name: str) -> MosquittoAccounts:
        path = self.folder / name
        path.touch(mode=0o600)
        return MosquittoAccounts(path, self.folder / "mosquitto.pid")

    def _config(self) -> str:
        text = (ETC / "conf.d/tillbox.conf").read_text(encoding="utf-8")
        for place in ("/etc/mosquitto/", "/var/lib/mosquitto/"):
            text = text.replace(place, f"{self.folder}/")
        text = re.sub(r"(?m)^listener 1884$", f"listener {self.sensor_port} {LOOPBACK}", text)
        text = re.sub(r"(?m)^listener 1883 ", f"listener {self.box_port} ", text)
        pid_file = f"pid_file {self.folder / 'mosquitto.pid'}\n"
        # Root's private folders are out of reach for the user it would change to.
        run_as = "user root\n" if os.geteuid() == 0 else ""
        return f"{pid_file}{run_as}log_dest stderr\n{text}"
