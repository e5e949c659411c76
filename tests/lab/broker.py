"""A real MQTT broker: Mosquitto as in production, else rumqttd from the `iotcore` wheel.

Boxes connect to `device_port` with passwords, and to `tls_port` with certificates where there is
a `ca`; the cloud's workers to `internal_port` as `internal_user`.  It may open `files_max` files
and connections (None: as many as whoever starts it).  rumqttd speaks MQTT 5 on both, knows no
topic rights and cannot learn log-ins while it runs, so it has none.
"""

from __future__ import annotations

import getpass
import os
import secrets
import string
import sys
import time
from pathlib import Path

from cloud.fleet.broker_accounts import BrokerAccounts, MosquittoAccounts, OpenAccounts
from cloud.pki.folder import CaFolder
from tests.lab.broker_files import ROLE, write_broker_files
from tests.lab.debian import find_program
from tests.lab.net import LOOPBACK, free_port
from tests.lab.processes import ChildProcess, Command

RUMQTTD_NOTE = "MQTT broker: rumqttd (no mosquitto here): boxes are not asked for log-ins."
RUMQTTD_CONFIG = """\
id = 0
[router]
id = 0
max_connections = 1010
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
"""
RUMQTTD_LISTENER = """\
[v5.${number}]
name = "${name}"
listen = "${host}:${port}"
next_connection_delay_ms = 1
[v5.${number}.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""


class Broker:
    """One broker; its files below `folder`, its ports kept across restarts."""

    internal_user = "ingest"

    def __init__(
        self,
        folder: Path,
        *,
        tls_port: int | None = None,
        device_port: int | None = None,
        internal_port: int | None = None,
        files_max: int | None = None,
        ca: CaFolder | None = None,
        role: Path = ROLE,
    ) -> None:
        self.folder = folder
        self.ca = ca
        self.tls_port = tls_port or free_port() if ca is not None else 0
        self._role = role
        self._files_max = files_max
        self.device_port = device_port or free_port()
        self.internal_port = internal_port or free_port()
        self.internal_password = secrets.token_urlsafe(24)
        self.password_file = folder / "devices.passwd"
        self.crl_file = folder / "device.crl"
        self.pid_file = folder / "mosquitto.pid"
        self._mosquitto = find_program("mosquitto")
        self.accounts: BrokerAccounts = (
            MosquittoAccounts(self.password_file, self.pid_file)
            if self._mosquitto
            else OpenAccounts()
        )
        self._process: ChildProcess | None = None

    @property
    def has_logins(self) -> bool:
        """Tell whether the broker asks for passwords and keeps each box to its own topics."""
        return self._mosquitto is not None

    @property
    def note(self) -> str | None:
        """One line for the person who runs this, when it is not the broker of production."""
        return None if self.has_logins else RUMQTTD_NOTE

    def start(self) -> Broker:
        """Write the configuration, start the broker, wait until both listeners accept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = self._mosquitto_arguments() if self._mosquitto else self._rumqttd_arguments()
        command = Command(
            name="MQTT broker",
            arguments=arguments,
            log=self.folder / "broker.log",
            prefix=self._limits(),
        )
        self._process = ChildProcess(command).start()
        self._process.wait_port(self.device_port).wait_port(self.internal_port)
        if self._mosquitto and self.tls_port:
            self._process.wait_port(self.tls_port)
        return self

    def reload(self) -> None:
        """Have it read its files again, as the unit that watches them does."""
        MosquittoAccounts(self.password_file, self.pid_file).announce()

    def stop(self) -> None:
        """End it; its clients see the connection close."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()

    def add_device(self, dev: str, password: str) -> None:
        """Let a box log in.  It may take the broker some milliseconds to notice."""
        self.accounts.put(dev, password)

    @property
    def process(self) -> ChildProcess | None:
        """The broker's process, for measurements."""
        return self._process

    def _limits(self) -> list[str]:
        """What lets it hold more connections, or fewer, than a shell's limit does."""
        return [] if self._files_max is None else ["prlimit", f"--nofile={self._files_max}", "--"]

    def _mosquitto_arguments(self) -> list[str]:
        internal_password_file = self.folder / "internal.passwd"
        internal = MosquittoAccounts(internal_password_file, self.pid_file)
        internal.put(self.internal_user, self.internal_password)
        self.password_file.touch(mode=0o640)
        variables = {
            "device_auth": "certificate" if self.ca else "password",
            "device_host": LOOPBACK,
            "device_port": self.tls_port or self.device_port,
            "password_port": self.device_port if self.ca else 0,
            "internal_host": LOOPBACK,
            "internal_port": self.internal_port,
            "internal_user": self.internal_user,
            "pid_file": str(self.pid_file),
            # Root's private folders are out of reach for the user it would change to.
            "run_as": "root" if os.geteuid() == 0 else getpass.getuser(),
        }
        if self.ca is not None:
            self._write_certificates(self.ca)
        config = write_broker_files(self.folder, variables, self._role)
        return [self._mosquitto or "mosquitto", "-c", str(config)]

    def _write_certificates(self, ca: CaFolder) -> None:
        """What the broker needs of the chain's CAs; a list of revocations that is there stays."""
        now_ms = time.time_ns() // 1_000_000
        key, certificate = ca.server([LOOPBACK], now_ms)
        for name, text in (
            ("server.key", key),
            ("server.pem", certificate),
            ("device-ca.pem", ca.bundle("device")),
        ):
            (self.folder / name).write_text(text, encoding="ascii")
        if not self.crl_file.exists():
            self.crl_file.write_text(ca.revocation_lists((), now_ms), encoding="ascii")

    def _rumqttd_arguments(self) -> list[str]:
        listener = string.Template(RUMQTTD_LISTENER)
        ports = {"devices": self.device_port, "internal": self.internal_port}
        listeners = [
            listener.substitute(number=number, name=name, host=LOOPBACK, port=port)
            for number, (name, port) in enumerate(ports.items(), start=1)
        ]
        config = self.folder / "rumqttd.toml"
        config.write_text(RUMQTTD_CONFIG + "".join(listeners), encoding="utf-8")
        return [sys.executable, "-m", "iotcore", "--config", str(config)]
