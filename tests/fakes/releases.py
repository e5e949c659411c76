"""Releases made by hand: a wheel is a zip, a release is a folder with a program."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.updater.launcher import PROGRAM, Releases
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, UnavailableError
from shared.release.description import (
    Release,
    Wheel,
    arch_of,
    release_bytes,
    signing_statement,
)
from shared.wire.message import DesiredSoftware

PYTHON = ".".join(map(str, sys.version_info[:2]))
MACHINE = platform.machine()
REPLAYED = {
    "biz": "2017-08-07",
    "receipts": {"1-000001": [1490, 1490, 0]},
    "z": {"net_minor": 1490},
}


def a_wheel(folder: Path, version: str, body: str = "", tag: str = "py3-none-any") -> Path:
    """A wheel of the product with one module; its program runs `body`."""
    path = folder / f"tillbox-{version}-{tag}.whl"
    info = f"tillbox-{version}.dist-info"
    files = {
        "tillbox_fake.py": f"def main():\n    {body or 'print(' + repr(version) + ')'}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tillbox\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntillbox-edge = tillbox_fake:main\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as made:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            made.writestr(name, text)
    return path


def a_program(releases: Releases, version: str, replayed: Any = REPLAYED, run: str = "") -> None:
    """A release that was put in place by hand: a shell script that replays, or runs `run`."""
    program = releases.folder / version / PROGRAM
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(script(replayed, run))
    program.chmod(0o755)


def script(replayed: Any = REPLAYED, run: str = "") -> str:
    """Says what it comes to when it is asked to replay; else does `run`."""
    answer = json.dumps(replayed)
    return f"#!/bin/sh\nif [ \"$1\" = replay ]; then echo '{answer}'; exit 0; fi\n{run}\n"


@dataclass
class Shelf:
    """Head office for one box: its key, and the objects that a box can fetch."""

    folder: Path
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    objects: dict[str, bytes] = field(default_factory=dict)
    is_away: bool = False
    fetched: list[str] = field(default_factory=list)

    @property
    def public_hex(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self.objects[name] = data
        return name

    def release(self, version: str, *wheels: Path, no: int = 1, **changed: Any) -> DesiredSoftware:
        """Sign a release of these wheels; it is wanted as soon as somebody is told."""
        known = tuple(
            Wheel(path.name, self.put(path.read_bytes()), path.stat().st_size, arch_of(path.name))
            for path in wheels
        )
        fields: dict[str, Any] = {"no": no, "version": version, "python": PYTHON, "wheels": known}
        data = release_bytes(Release(**fields | changed))
        name = self.put(data)
        sig = self.key.sign(signing_statement(sha256(data))).hex()
        return DesiredSoftware(version, name, sig)

    def fetch(self, name: str, size_max: int) -> Path:
        """As the box's own fetcher: verified, or an error."""
        if self.is_away or name not in self.objects:
            raise UnavailableError("object.unreachable")
        self.fetched.append(name)
        data = self.objects[name]
        if hashlib.sha256(data).hexdigest() != name:
            raise CorruptError("object.hash", sha256=name)
        assert len(data) <= size_max
        path = self.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def forget(self) -> None:
        for path in self.folder.glob("*"):
            path.unlink()
