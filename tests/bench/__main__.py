"""`make bench`: measure every goal on this machine and print the table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tests.bench import (
    archive,
    backlog,
    connections,
    delta,
    devices,
    fleet,
    fsck,
    ingest,
    ingest_4,
    journal,
    paint,
    partitions,
    pins,
    pricing,
    push,
    receipt,
    reconnect,
    release,
    restore,
    rollback,
    scan,
    scan_queue,
    simulation,
    snapshot,
    start,
    swap,
    wire_size,
)
from tests.bench import (
    compile as compiling,
)
from tests.bench.figure import Figure, show, write_json
from tests.bench.lab_box import LabBox


def main() -> int:
    """Run the benches one after the other; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="write machine and figures to this file")
    parser.add_argument("--only", default="", help="run the benches whose name contains this")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 200)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="tillbox-bench-") as folder:
        for name, bench in _benches(Path(folder)).items():
            if options.only in name:
                with console.status(name):
                    figures += bench()
    show(console, figures)
    if options.json is not None:
        write_json(options.json, figures)
    return 0 if all(figure.is_met for figure in figures) else 1


def _benches(folder: Path) -> dict[str, Callable[[], list[Figure]]]:
    return {
        "journal": lambda: [journal.measure(_made(folder / "journal"))],
        "ingest": lambda: [ingest.measure(_made(folder / "ingest"))],
        "ingest_4": lambda: [ingest_4.measure(_made(folder / "ingest_4"))],
        "partitions": lambda: partitions.measure(_made(folder / "partitions")),
        "backlog": lambda: [backlog.measure(_made(folder / "backlog"))],
        "fleet": lambda: fleet.measure(_made(folder / "fleet")),
        "compile": lambda: [compiling.measure(_made(folder / "compile"))],
        "release": lambda: release.measure(_made(folder / "release")),
        "delta": lambda: delta.measure(_made(folder / "delta")),
        "connections": lambda: [connections.measure(_made(folder / "connections"))],
        "wire_size": lambda: [wire_size.measure(_made(folder / "wire_size"))],
        "fsck": lambda: [fsck.measure(_made(folder / "fsck"))],
        "archive": lambda: archive.measure(_made(folder / "archive")),
        "snapshot": lambda: [snapshot.measure_apply(_made(folder / "snapshot"))],
        "box": lambda: _box(_made(folder / "lab")),
        "pins": lambda: pins.measure(_made(folder / "pins")),
        "pricing": pricing.measure,
        "simulation": lambda: simulation.measure(_made(folder / "simulation")),
        "receipt": receipt.measure,
        "devices": lambda: devices.measure(_made(folder / "devices")),
        "scan_queue": lambda: [scan_queue.measure(_made(folder / "scan_queue"))],
        "push": lambda: push.measure(_made(folder / "push")),
        "reconnect": reconnect.measure,
        "swap": lambda: swap.measure(_made(folder / "swap")),
        "restore": lambda: restore.measure(_made(folder / "restore")),
        "rollback": lambda: rollback.measure(_made(folder / "rollback")),
    }


def _box(folder: Path) -> list[Figure]:
    """Everything that is asked of one running box."""
    box = LabBox(folder, snapshot.ITEMS).prepare()
    try:
        return [start.measure(box), scan.measure(box), paint.measure(box)]
    finally:
        box.process.stop()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
