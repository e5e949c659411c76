"""A real S3 server: SeaweedFS from its wheel, one process, on the loopback address only."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.lab.net import LOOPBACK, free_port
from tests.lab.processes import ChildProcess, Command

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Each bucket grows seven volumes at once: with few of them the third bucket finds none left.
VOLUMES = 100
VOLUME_MEGABYTES = 128
START_S = 60


class S3Server:
    """One server with one access key; its data below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.access_key = secrets.token_hex(10)
        self.secret_key = secrets.token_urlsafe(30)
        self._process: ChildProcess | None = None

    @property
    def endpoint(self) -> str:
        """The address that S3 clients are given."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> S3Server:
        """Start it and wait for the answer to a signed request: its port opens seconds earlier."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = Command(
            name="SeaweedFS",
            arguments=self._arguments(),
            log=self.folder / "seaweedfs.log",
            env={"GOMEMLIMIT": "150MiB"},
        )
        self._process = ChildProcess(command).start()
        self._process.wait_until(self._is_ready, START_S)
        return self

    def stop(self) -> None:
        """End it at once: a polite end takes it half a minute, and it loses nothing this way."""
        if self._process is not None:
            self._process.kill()

    def create_bucket(self, name: str, *, locks: bool = False) -> None:
        """Make an empty bucket; with `locks` objects in it can be locked against deletion."""
        self.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=locks)

    def client(self) -> S3Client:
        """A client that may do everything."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                signature_version="s3v4",
                connect_timeout=2,
                read_timeout=10,
                retries={"mode": "standard", "max_attempts": 1},
            ),
        )

    def _is_ready(self) -> bool:
        try:
            self.client().list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True

    def _arguments(self) -> list[str]:
        key = {"accessKey": self.access_key, "secretKey": self.secret_key}
        rights = ["Admin", "Read", "Write", "List", "Tagging"]
        identities = [{"name": "cloud", "credentials": [key], "actions": rights}]
        config = self.folder / "identities.json"
        config.write_text(json.dumps({"identities": identities}), encoding="utf-8")
        config.chmod(0o600)
        ports = [
            f"-{part}.{kind}={free_port()}"
            for part in ("master", "volume", "filer")
            for kind in ("port", "port.grpc")
        ]
        return [
            str(Path(sys.executable).parent / "weed"),
            *("server", f"-dir={self.folder}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"),
            *("-s3", f"-s3.port={self.port}", f"-s3.port.grpc={free_port()}"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={config}"),
            *(f"-volume.max={VOLUMES}", f"-master.volumeSizeLimitMB={VOLUME_MEGABYTES}"),
            *ports,
        ]
