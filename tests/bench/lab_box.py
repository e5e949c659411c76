"""A store box with a stored catalogue and no cloud in reach, for measuring."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.identity import Identity, save_identity
from edge.journal.signer import KEY_FILE, load_or_create
from edge.replica.store import Replica
from shared.kernel.ids import DeviceId, StoreId, StreamId
from tests.bench.catalogue import ZONE, publish
from tests.demo.chain import EDGE_TOML
from tests.lab.net import LOOPBACK, free_port
from tests.lab.processes import ChildProcess, Command

BUSINESS_DATE = "2026-11-21"


def identity_of_lab() -> Identity:
    """An identity whose broker and cloud are not there."""
    return Identity(
        dev=DeviceId("d-aaaaaaaaaaaaaaaa"),
        secret="opens nothing",
        store_id=StoreId("1"),
        store_name="测试店",
        zone="Asia/Shanghai",
        currency="CNY",
        stream=StreamId("ab" * 16),
        ordinal=1,
        broker_host=LOOPBACK,
        broker_port=free_port(),
        hq_pub="00" * 32,
        price_zone=ZONE,
        cloud_url=f"http://{LOOPBACK}:{free_port()}",
    )


class LabBox:
    """A box process on free ports."""

    def __init__(self, folder: Path, items: int) -> None:
        self.folder = folder / "box"
        self.port = free_port()
        self.scanner_port = free_port()
        self._items = items
        arguments: list[str | Path] = [
            Path(sys.executable).parent / "tillbox-edge",
            "run",
            "--data",
            self.folder,
        ]
        self.process = ChildProcess(Command("box", arguments, folder / "box.log"))

    def prepare(self) -> LabBox:
        """Give it identity, settings, key and an active catalogue."""
        self.folder.mkdir(parents=True)
        settings = EDGE_TOML.format(
            host=LOOPBACK, port=self.port, locale="zh-CN", scanner_port=self.scanner_port
        )
        (self.folder / "edge.toml").write_text(settings)
        save_identity(self.folder, identity_of_lab())
        load_or_create(self.folder / KEY_FILE)
        published = publish(self.folder, self._items)
        replica = Replica(self.folder / "replica")
        replica.open()
        replica.stage(published.manifest, published.pieces)
        replica.activate(published.manifest.rev, 0)
        replica.close()
        published.piece.unlink()
        return self

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it can sell."""
        self.process.start()
        self.process.wait_http(f"{self.url}/healthz", timeout_s=30)
