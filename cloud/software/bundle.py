"""A folder of wheels as one version: what `tillbox-cloud software add` takes in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloud.archive.objects import ObjectStore
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.release.description import (
    PRODUCT,
    WHEEL_BYTES_MAX,
    WHEELS_MAX,
    Release,
    Wheel,
    arch_of,
    is_version,
    is_wheel_name,
    parse_release,
    release_bytes,
)

VECTORS_FILE = "vectors.json"
PYTHON_DEFAULT = "3.11"


@dataclass(frozen=True, slots=True)
class About:
    """What the wheels do not say themselves."""

    notes: str = ""
    requires: str = ""
    python: str = PYTHON_DEFAULT


def bundle_of(folder: Path, about: About) -> Release:
    """The version that the wheels of a folder make up, without a number.

    Its number of version is that of the product's own wheel. Raises RefusedError
    `software.no_wheels`, `software.bad_wheel` or `software.bad_bundle`.
    """
    paths = sorted(folder.glob("*.whl"))
    products = [path for path in paths if path.name.startswith(f"{PRODUCT}-")]
    if len(products) != 1 or len(paths) > WHEELS_MAX:
        raise RefusedError("software.no_wheels", folder=str(folder), found=len(products))
    version = products[0].name.split("-")[1]
    if not is_version(version) or (about.requires and not is_version(about.requires)):
        raise RefusedError("software.bad_bundle", version=version[:64])
    vectors = folder / VECTORS_FILE
    release = Release(
        no=1,
        version=version,
        python=about.python,
        wheels=tuple(map(_wheel, paths)),
        requires=about.requires,
        vectors=sha256(vectors.read_bytes()).hex() if vectors.is_file() else "",
        notes=about.notes,
    )
    try:  # what a box would refuse is refused here
        return parse_release(release_bytes(release))
    except RefusedError:
        raise RefusedError("software.bad_bundle", version=version) from None


def put_bundle(folder: Path, release: Release, objects: ObjectStore) -> None:
    """Store the bytes of every wheel and of the worked baskets; a repeat changes nothing."""
    for wheel in release.wheels:
        objects.put((folder / wheel.name).read_bytes())
    if release.vectors:
        objects.put((folder / VECTORS_FILE).read_bytes())


def _wheel(path: Path) -> Wheel:
    size = path.stat().st_size
    if not is_wheel_name(path.name) or not 0 < size <= WHEEL_BYTES_MAX:
        raise RefusedError("software.bad_wheel", wheel=path.name[:120])
    return Wheel(path.name, sha256(path.read_bytes()).hex(), size, arch_of(path.name))
