"""The programs that are recorded: a box's own code at work, promising what a person is told.

`python -m tests.powerloss.workloads NAME FOLDER [SETTING]` in a folder that may hold what an
earlier program, or a power cut, left there.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import edge.sqlite
from tests.powerloss.trace import PROMISE

_OUTPUT = 1
SETTINGS = ("real", "normal", "rollback", "early")
"""What the product does, and three mistakes: synchronous=NORMAL, a rollback journal (FULL) in
place of the write-ahead log, and a receipt that is printed before the commit."""


def promise(**facts: Any) -> None:
    """Tell the user something, by one system call."""
    os.write(_OUTPUT, f"{PROMISE}{json.dumps(facts)}\n".encode())


def make_mistake(setting: str) -> None:
    """Let every file be opened with a wrong setting; the code above it stays the real one."""
    real = edge.sqlite.connect_writer

    def wrong(path: Path, synchronous: edge.sqlite.Synchronous) -> sqlite3.Connection:
        connection = real(path, synchronous)
        if setting == "normal":
            connection.execute("PRAGMA synchronous=NORMAL")
        if setting == "rollback":
            connection.execute("PRAGMA journal_mode=DELETE")
        return connection

    if setting in {"normal", "rollback"}:
        edge.sqlite.connect_writer = wrong


def main(name: str, folder: str, setting: str = "real") -> None:
    """Run one program."""
    assert setting in SETTINGS
    make_mistake(setting)
    # After the mistake: these take the function out of its module when they are loaded.
    from tests.powerloss import work_catalogue, work_counter, work_journal  # noqa: PLC0415

    works = {**work_journal.WORKS, **work_catalogue.WORKS, **work_counter.WORKS}
    works[name](Path(folder), setting)
    # No tidying up by the interpreter: what is recorded ends here.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
