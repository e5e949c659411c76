"""A whole chain on one machine: the cloud's parts and one process per store box."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg

from cloud.migrations import newest
from cloud.pki.folder import CaFolder
from tests.demo.console_client import ConsoleClient
from tests.demo.shelves import StoreShelves
from tests.demo.state import DemoState, StoreState
from tests.lab.broker import Broker
from tests.lab.debian import find_program
from tests.lab.net import LOOPBACK
from tests.lab.postgres import PostgresServer
from tests.lab.processes import ChildProcess, Command, StartError

CERTIFIED_WITHIN_S = 30.0
BIN = Path(sys.executable).parent
TIME_ZONE = "America/New_York"
CURRENCY = "USD"
EDGE_TOML = """\
[box]
training = true
host = "{host}"
port = {port}
locale = "{locale}"

[scanner]
kind = "virtual"
port = {scanner_port}

[printer]
kind = "virtual"
port = 0

[scale]
kind = "virtual"

[display]
kind = "virtual"
encoding = "gb18030"

[clock]
kind = "virtual"
"""


class Box:
    """One store box as a process; `kill` is a power cut, `start` brings it back."""

    def __init__(
        self, folder: Path, store: StoreState, locale: str, shelves: StoreShelves | None = None
    ) -> None:
        self.folder = folder
        self.shelves = shelves
        self.store = store
        self.locale = locale
        arguments: list[str | Path] = [BIN / "tillbox-edge", "run", "--data", folder]
        self.process = ChildProcess(
            Command(f"box of store {store.store_id}", arguments, folder.with_suffix(".log"))
        )

    @property
    def url(self) -> str:
        """Where its till page is served."""
        return f"http://{LOOPBACK}:{self.store.port}"

    def enrol(self, cloud_url: str, token: str) -> None:
        """Give it its identity, once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = EDGE_TOML.format(
            host=LOOPBACK,
            port=self.store.port,
            locale=self.locale,
            scanner_port=self.store.scanner_port,
        )
        if self.shelves is not None:
            settings += self.shelves.set_up(self.folder)
        (self.folder / "edge.toml").write_text(settings)
        where = ["--data", str(self.folder), "--cloud", cloud_url]
        run_command("tillbox-edge", "enrol", *where, "--token", token)

    def start(self) -> None:
        """Start it; `wait` tells when it is ready to sell."""
        if self.shelves is not None:
            self.shelves.start(self.folder)
        self.process.start()

    def wait(self) -> None:
        """Wait until it answers."""
        self.process.wait_http(f"{self.url}/healthz", timeout_s=30)


class Chain:
    """PostgreSQL, broker, API, worker and the boxes, with their files below `folder`."""

    def __init__(self, folder: Path, state: DemoState, locale: str = "zh-CN") -> None:
        self.folder = folder
        self.state = state
        self.postgres = PostgresServer(folder)
        # rumqttd, where there is no mosquitto, asks nobody who they are.
        has_certificates = find_program("mosquitto") is not None
        self.ca = CaFolder(folder / "ca", os.urandom) if has_certificates else None
        self.broker = Broker(
            folder / "broker",
            device_port=state.device_port,
            internal_port=state.internal_port,
            tls_port=state.tls_port,
            ca=self.ca,
        )
        self.shelves = StoreShelves(folder / "store-broker", state.shelf_port)
        self.boxes = [
            Box(folder / f"box-{store.store_id}", store, locale, None if place else self.shelves)
            for place, store in enumerate(state.stores)
        ]
        self.database_url = ""
        self.api: ChildProcess | None = None
        self.worker: ChildProcess | None = None
        self._console: ConsoleClient | None = None
        self._lock = threading.Lock()

    @property
    def console_url(self) -> str:
        """Where the console is served."""
        return f"http://{LOOPBACK}:{self.state.console_port}"

    @property
    def console(self) -> ConsoleClient:
        """The console's API, signed in as the demo's user at HQ."""
        with self._lock:
            if self._console is None:
                self._console = ConsoleClient(self.console_url)
                self._console.sign_in(self.state.console_user, self.state.console_password)
            return self._console

    def start_cloud(self) -> None:
        """Start everything at HQ; makes database, key and user when they are not there."""
        self.postgres.start()
        self.database_url = self.postgres.ensure_database("tillbox")
        if self.ca is not None and not (self.ca.path / "chain-ca.key").exists():
            self.ca.init("shops.example", time.time_ns() // 1_000_000)
        self.broker.start()
        if not self._is_migrated():
            self._cloud_command("migrate")
        if not (self.folder / "hq.key").exists():
            self._cloud_command("hq-key", "init")
            self._cloud_command(
                *("user", "add", self.state.console_user, "--role", "admin", "--password-stdin"),
                stdin=self.state.console_password,
            )
        self.start_processes()

    def _is_migrated(self) -> bool:
        """Ask the database itself: the command would take a second to say so."""
        with psycopg.connect(self.database_url) as connection:
            table = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
            if table is None or table[0] is None:
                return False
            step = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return step is not None and step[0] == newest()

    def start_processes(self) -> None:
        """Start API and worker, and wait until both answer."""
        self.api = self._cloud_process("api")
        self.worker = self._cloud_process("worker")
        self.api.wait_http(f"{self.console_url}/healthz", timeout_s=30)
        self.worker.wait_http(f"http://{LOOPBACK}:{self.state.worker_port}/healthz", timeout_s=30)

    def kill_cloud(self) -> None:
        """Cut the power at HQ: API, worker, broker and database die at once."""
        for process in (self.api, self.worker):
            if process is not None:
                process.kill()
        self.broker.kill()
        self.postgres.kill()

    def revive_cloud(self) -> None:
        """Bring HQ back from what its disks hold."""
        self.postgres.start()
        self.database_url = self.postgres.url("tillbox")
        self.broker.start()
        self.start_processes()

    def launch_boxes(self) -> None:
        """Start all boxes at once; they need no cloud."""
        for box in self.boxes:
            box.start()

    def wait_for_boxes(self) -> None:
        """Wait until each can sell."""
        for box in self.boxes:
            box.wait()

    def start_boxes(self) -> None:
        """Start all boxes and wait for each."""
        self.launch_boxes()
        self.wait_for_boxes()

    def stop(self) -> None:
        """End every process; harmless when some have ended."""
        if self._console is not None:
            self._console.close()
        for box in self.boxes:
            _stop(box.process)
        self.shelves.stop()
        for process in (self.worker, self.api):
            _stop(process)
        self.broker.stop()
        self.postgres.stop()

    def memory_bytes(self) -> dict[str, int]:
        """Resident memory by process name, of those that run."""
        running = [box.process for box in self.boxes]
        running += [process for process in (self.api, self.worker) if process is not None]
        return {each.command.name: each.rss_bytes() for each in running if each.is_alive}

    def _cloud_process(self, what: str) -> ChildProcess:
        command = Command(
            f"cloud {what}",
            [BIN / "tillbox-cloud", what],
            self.folder / f"{what}.log",
            env=self._cloud_env(),
            cwd=self.folder,
        )
        return ChildProcess(command).start()

    def cloud_proves(self, *arguments: str) -> bool:
        """Run a command of head office whose exit status is its finding."""
        try:
            self._cloud_command(*arguments)
        except StartError as error:
            sys.stderr.write(f"{error}\n")
            return False
        return True

    def certified_days(self, wanted: int) -> int:
        """Days whose certificate head office has countersigned; waits a while for that many."""
        query = "SELECT count(*) FROM day_certificate_check WHERE state = 'agrees'"
        until_s = time.monotonic() + CERTIFIED_WITHIN_S
        while True:
            with psycopg.connect(self.database_url) as connection:
                row = connection.execute(query).fetchone()
            count = int(row[0]) if row else 0
            if count >= wanted or time.monotonic() > until_s:
                return count
            time.sleep(0.5)

    def _cloud_command(self, *arguments: str, stdin: str = "") -> None:
        run_command("tillbox-cloud", *arguments, env=self._cloud_env(), stdin=stdin)

    def _cloud_env(self) -> dict[str, str]:
        values = {
            "database_url": self.database_url,
            "port": self.state.console_port,
            "worker_port": self.state.worker_port,
            "broker_port": self.broker.internal_port,
            "broker_user": self.broker.internal_user,
            "broker_password": self.broker.internal_password,
            "device_broker_port": self.broker.device_port,
            "broker_password_file": self.broker.password_file if self.broker.has_logins else "",
            "broker_pid_file": self.broker.pid_file if self.broker.has_logins else "",
            "device_broker_tls_port": self.broker.tls_port,
            "ca_dir": self.ca.path if self.ca else "",
            "broker_crl_file": self.broker.crl_file if self.ca else "",
            "object_dir": self.folder / "objects",
            "hq_key_file": self.folder / "hq.key",
            "require_totp": "false",  # a demonstration on one machine: nobody's telephone is asked
        }
        return {f"TILLBOX_CLOUD_{name.upper()}": str(value) for name, value in values.items()}


def run_command(
    program: str, *arguments: str, env: dict[str, str] | None = None, stdin: str = ""
) -> None:
    """Run one of the product's commands to its end; StartError carries what it said."""
    done = subprocess.run(
        [str(BIN / program), *arguments],
        input=stdin,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise StartError(f"{program} {arguments[0]} failed: {said}")


def _stop(process: ChildProcess | None) -> None:
    if process is not None and process.is_alive:
        process.stop()
