"""Worker processes of the cloud on one database and one broker."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx

from cloud.settings import Settings
from cloud.worker import Worker
from tests.lab.broker import Broker
from tests.lab.net import LOOPBACK, free_port, sleep_briefly
from tests.lab.processes import ChildProcess, Command

START_S = 60
RUN_A_WORKER = """
import sys
from cloud.__main__ import main
sys.argv = ["tillbox-cloud", "worker"]
sys.exit(main())
"""
"""What a changed worker's script ends with."""


class Workers:
    """Starts workers, here or as processes of their own; `changed` replaces settings."""

    def __init__(self, database_url: str, broker: Broker, folder: Path, **changed: Any) -> None:
        self._folder = folder
        self._settings = Settings(
            **{
                "database_url": database_url,
                "broker_host": LOOPBACK,
                "broker_port": broker.internal_port,
                "broker_user": broker.internal_user,
                "broker_password": broker.internal_password,
                "worker_port": 0,
                "object_dir": str(folder / "objects"),
                **changed,
            }
        )
        self._ends = ExitStack()

    def here(self) -> str:
        """A worker in this process; answers its base URL once it is well."""
        worker = Worker(self._settings)
        self._ends.callback(worker.stop)
        worker.start()
        url = f"http://{LOOPBACK}:{worker.health.port}"
        deadline = time.monotonic() + START_S
        while not httpx.get(f"{url}/healthz").is_success:
            assert time.monotonic() < deadline, "the worker did not get well"
            sleep_briefly()
        return url

    def process(self, script: str | None = None) -> tuple[ChildProcess, str]:
        """A worker process and its base URL; `script` runs before the worker does."""
        settings = replace(self._settings, worker_port=free_port())
        environment = {
            f"TILLBOX_CLOUD_{name.upper()}": str(value) for name, value in asdict(settings).items()
        }
        run = ["-c", script + RUN_A_WORKER] if script else ["-m", "cloud", "worker"]
        child = ChildProcess(
            Command(
                name="worker",
                arguments=[sys.executable, *run],
                log=self._folder / f"worker-{settings.worker_port}.log",
                env=environment,
            )
        )
        self._ends.callback(child.stop)
        url = f"http://{LOOPBACK}:{settings.worker_port}"
        child.start().wait_http(f"{url}/healthz", timeout_s=START_S)
        return child, url

    def stop(self) -> None:
        """End them all."""
        self._ends.close()
