"""`tillbox-cloud export`: sales as POSLog or JSON lines, to a file or to standard output."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from cloud.commands.progress import ProgressBar
from cloud.db import Database, database_of
from cloud.export.service import ExportScope, Watch, in_pieces, json_rows
from cloud.export.service import poslog as poslog_document
from cloud.settings import Settings

Export = Callable[[Database, ExportScope, Watch | None], Iterator[str]]


def poslog(settings: Settings, chosen: Namespace) -> None:
    """Write a POSLog document."""
    _export(settings, chosen, poslog_document)


def jsonl(settings: Settings, chosen: Namespace) -> None:
    """Write rows as JSON lines."""
    _export(settings, chosen, json_rows)


def _export(settings: Settings, chosen: Namespace, export: Export) -> None:
    stores = tuple(each.strip() for each in (chosen.stores or "").split(",") if each.strip())
    scope = ExportScope(chosen.from_on, chosen.to_on, stores)
    bar = ProgressBar(sys.stderr, "sales")
    try:
        with closing(database_of(settings)) as database:
            pieces = in_pieces(export(database, scope, bar.show))
            if chosen.out is None:
                _write(sys.stdout.buffer, pieces)
            else:
                _write_file(chosen.out, pieces)
    finally:
        bar.close()


def _write_file(path: Path, pieces: Iterator[bytes]) -> None:
    """A whole file or none: whoever takes files away must not meet half of one."""
    half = path.with_name(f"{path.name}.part")
    try:
        with half.open("wb") as stream:
            _write(stream, pieces)
            os.fsync(stream.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _write(stream: BinaryIO, pieces: Iterator[bytes]) -> None:
    stream.writelines(pieces)
    stream.flush()
