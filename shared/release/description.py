"""The signed description of a software release: which wheels make it up, and for which boxes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex

DESCRIPTION_VERSION = 1
DESCRIPTION_TAG = b"tbr1"
DESCRIPTION_BYTES_MAX = 256 * 1024
WHEELS_MAX = 400
WHEEL_BYTES_MAX = 128 * 1024 * 1024
ANY = "any"
PRODUCT = "tillbox"
_HASH_BYTES = 32
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+_]{0,63}")
_WHEEL = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+]*(?:-[0-9A-Za-z._+]+){4,5}\.whl")
_NUMBERS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel: file name, SHA-256 (hex), size in bytes, and the machines that it runs on.

    `arch` is what the machine calls itself (`aarch64`, `x86_64`), or `any`.
    """

    name: str
    sha256: str
    size: int
    arch: str = ANY


@dataclass(frozen=True, slots=True)
class Release:
    """One signed release. `no` counts HQ's descriptions: a box never takes an older one.

    `python` is the version that it needs ("3.11"), `requires` the oldest software that it may
    follow ("" for any), `vectors` the SHA-256 (hex) of an object of worked baskets that it must
    price right ("" for none), `notes` a line for people.
    """

    no: int
    version: str
    python: str
    wheels: tuple[Wheel, ...]
    requires: str = ""
    vectors: str = ""
    notes: str = ""

    def wheels_for(self, arch: str) -> tuple[Wheel, ...]:
        """What a machine has to fetch."""
        return tuple(wheel for wheel in self.wheels if wheel.arch in {ANY, arch})

    @property
    def arches(self) -> tuple[str, ...]:
        """The machines that it has wheels for; `any` where no wheel is of one machine alone."""
        found = {wheel.arch for wheel in self.wheels} - {ANY}
        return tuple(sorted(found)) or (ANY,)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a box is: processor, Python, running software, and the newest release it committed."""

    arch: str
    python: str
    running: str
    no: int = 0


def release_bytes(release: Release) -> bytes:
    """Canonical bytes, whose SHA-256 names the description."""
    return canonical_bytes(
        {
            "v": DESCRIPTION_VERSION,
            "no": release.no,
            "version": release.version,
            "python": release.python,
            "requires": release.requires,
            "vectors": release.vectors,
            "notes": release.notes,
            "wheels": [
                {"name": w.name, "sha256": w.sha256, "size": w.size, "arch": w.arch}
                for w in release.wheels
            ],
        }
    )


def parse_release(data: bytes) -> Release:
    """Read a description; RefusedError `release.description` when it is none.

    Names become file names on the box, so nothing else than a wheel's name passes.
    """
    try:
        raw = json.loads(data)
        release = Release(
            no=raw["no"],
            version=raw["version"],
            python=raw["python"],
            wheels=tuple(_wheel(each) for each in raw["wheels"]),
            requires=raw.get("requires", ""),
            vectors=raw.get("vectors", ""),
            notes=raw.get("notes", ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RefusedError("release.description") from None
    if not (_is_typed(release) and _is_whole(release)):
        raise RefusedError("release.description")
    return release


def signing_statement(description_sha256: bytes) -> bytes:
    """What HQ signs (Ed25519), so that neither broker nor bucket can put software on a box."""
    return DESCRIPTION_TAG + description_sha256


def is_version(text: str) -> bool:
    """Whether this may name a release: it becomes the name of a folder."""
    return _VERSION.fullmatch(text) is not None


def arch_of(wheel_name: str) -> str:
    """The machine that a wheel runs on, from its file name's last tag; `any` for all."""
    platform = wheel_name.removesuffix(".whl").rpartition("-")[2]
    if platform == ANY:
        return ANY
    for arch in ("aarch64", "x86_64", "armv7l", "armv6l", "i686"):
        if platform.endswith(arch):
            return arch
    return platform


def is_wheel_name(name: str) -> bool:
    """Whether this is the file name of a wheel."""
    return _WHEEL.fullmatch(name) is not None


def version_key(version: str) -> tuple[int, ...]:
    """Orders versions by their numbers: 0.10.0 comes after 0.9."""
    return tuple(int(each) for each in _NUMBERS.findall(version))


def refuse_misfit(release: Release, machine: Machine) -> None:
    """RefusedError with the reason why this box must not take the release.

    `release.older`, `release.arch`, `release.python`, `release.requires`.
    """
    if release.no < machine.no:
        raise RefusedError("release.older", no=release.no, known=machine.no)
    if machine.arch not in release.arches and release.arches != (ANY,):
        raise RefusedError("release.arch", arch=machine.arch)
    if release.python != machine.python:
        raise RefusedError("release.python", needed=release.python, found=machine.python)
    if version_key(machine.running) < version_key(release.requires):
        raise RefusedError("release.requires", needed=release.requires, found=machine.running)


def _is_typed(release: Release) -> bool:
    texts = (release.version, release.python, release.requires, release.vectors, release.notes)
    return type(release.no) is int and release.no > 0 and all(type(t) is str for t in texts)


def _is_whole(release: Release) -> bool:
    names = [wheel.name for wheel in release.wheels]
    return (
        is_version(release.version)
        and (not release.requires or is_version(release.requires))
        and (not release.vectors or is_hex(release.vectors, _HASH_BYTES))
        and len(set(names)) == len(names) <= WHEELS_MAX
        and all(_is_sound(wheel) for wheel in release.wheels)
        and any(is_product(name, release.version) for name in names)
    )


def is_product(wheel_name: str, version: str) -> bool:
    """Whether a wheel is the product itself, of that version."""
    return wheel_name.startswith(f"{PRODUCT}-{version}-")


def _is_sound(wheel: Wheel) -> bool:
    return (
        type(wheel.name) is str
        and is_wheel_name(wheel.name)
        and is_hex(wheel.sha256, _HASH_BYTES)
        and type(wheel.size) is int
        and 0 < wheel.size <= WHEEL_BYTES_MAX
        and wheel.arch == arch_of(wheel.name)
    )


def _wheel(raw: dict[str, Any]) -> Wheel:
    return Wheel(raw["name"], raw["sha256"], raw["size"], raw["arch"])
