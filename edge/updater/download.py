"""Fetch a release: description, signature, fit, room on the disk, then each wheel by its hash."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.release.description import (
    DESCRIPTION_BYTES_MAX,
    WHEEL_BYTES_MAX,
    Machine,
    Release,
    parse_release,
    refuse_misfit,
    signing_statement,
)
from shared.wire.message import DesiredSoftware

UNPACKED = 5
"""A release takes about this many times the size of its wheels, with room to spare."""

Fetch = Callable[[str, int], Path]
"""The verified file of an object (SHA-256 in hex, at most so many bytes)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A release whose every byte was checked: wheel names to files, and its worked baskets."""

    release: Release
    wheels: dict[str, Path]
    vectors: Path | None


def this_machine(running: str, no: int) -> Machine:
    """What this box is; `no` is the newest description that it has committed."""
    version = ".".join(map(str, sys.version_info[:2]))
    return Machine(platform.machine(), version, running, no)


def describe(wanted: DesiredSoftware, hq_pub: str, fetch: Fetch) -> Release:
    """The description that HQ wants here.

    Raises CorruptError `release.signature` or `release.other`, and what fetching raises.
    """
    check_signature(wanted, hq_pub)
    release = parse_release(fetch(wanted.sha256, DESCRIPTION_BYTES_MAX).read_bytes())
    if release.version != wanted.version:
        raise CorruptError("release.other", version=release.version)
    return release


def check_signature(wanted: DesiredSoftware, hq_pub: str) -> None:
    """CorruptError `release.signature` unless HQ signed this description."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(hq_pub))
        key.verify(bytes.fromhex(wanted.sig), signing_statement(bytes.fromhex(wanted.sha256)))
    except (InvalidSignature, ValueError):
        raise CorruptError("release.signature", version=wanted.version) from None


def download(release: Release, machine: Machine, fetch: Fetch, room: Path) -> Fetched:
    """Every wheel for this machine; what is there already is not fetched again.

    Raises RefusedError for a release that is not for this box, UnavailableError `release.disk`.
    """
    refuse_misfit(release, machine)
    wheels = release.wheels_for(machine.arch)
    needed = sum(wheel.size for wheel in wheels) * UNPACKED
    if shutil.disk_usage(room).free < needed:
        raise UnavailableError("release.disk", needed_mb=needed // 1_000_000 + 1)
    found = {}
    for wheel in wheels:
        path = fetch(wheel.sha256, wheel.size)
        if path.stat().st_size != wheel.size:
            raise RefusedError("release.description")
        found[wheel.name] = path
    vectors = fetch(release.vectors, WHEEL_BYTES_MAX) if release.vectors else None
    return Fetched(release, found, vectors)
