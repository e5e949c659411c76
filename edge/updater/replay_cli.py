"""`tillbox-edge replay`."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from edge.identity import load_identity
from edge.receipt.layout import zone_of
from edge.updater import replay as day


def replay(options: argparse.Namespace) -> int:
    """Price a day again; on copies that are thrown away, unless some were made before."""
    # The whole box has to load, not only what a replay needs: new software is tried with this.
    importlib.import_module("edge.server")
    zone = zone_of(load_identity(options.data).zone)
    if options.copies is not None:
        return _say(day.replay(options.copies, zone), is_json=options.json)
    with tempfile.TemporaryDirectory(prefix="tillbox-replay-") as folder:
        copies = Path(folder) / "day"
        day.copy_day(options.data, copies, options.day)
        return _say(day.replay(copies, zone), is_json=options.json)


def _say(found: day.Replayed, *, is_json: bool) -> int:
    if is_json:
        sys.stdout.buffer.write(day.as_json(found) + b"\n")
        return 0
    if not found.receipts:
        sys.stdout.write("No sale to price again.\n")
        return 0
    recorded, priced = found.z["net_minor"], found.due_minor
    sys.stdout.write(
        f"{found.biz}: {len(found.receipts)} receipts, {priced} today, {recorded} then.\n"
    )
    return 0
