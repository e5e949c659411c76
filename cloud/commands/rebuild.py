"""`tillbox-cloud rebuild`: the books made anew from the journal's entries."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing

from cloud.commands.progress import ProgressBar
from cloud.commands.say import say
from cloud.db import database_of
from cloud.migrations.state import require_migrated
from cloud.posters import POSTERS
from cloud.recovery.rebuild import TableChange, rebuild
from cloud.settings import Settings


def rebuild_books(settings: Settings, chosen: Namespace) -> int:
    """Make them anew, or with `--check` only compare: status 1 when they are not the same."""
    with closing(database_of(settings)) as database:
        require_migrated(database)
    bar = ProgressBar(sys.stderr, "stores")
    with closing(database_of(settings)) as database:  # whose connections know no table yet
        try:
            changes = rebuild(
                database,
                POSTERS,
                store_id=chosen.store,
                is_check=chosen.check,
                progress=bar.show,
            )
        finally:
            bar.close()
    for change in changes:
        say(_line(change, is_check=chosen.check))
    wrong = [change for change in changes if change.after != change.rebuilt]
    return int(bool(wrong))


def _line(change: TableChange, *, is_check: bool) -> str:
    if change.is_same:
        return f"{change.table}: {change.before}, the same"
    if is_check:
        return f"{change.table}: {change.before}, but the entries say {change.rebuilt}"
    outcome = "" if change.after == change.rebuilt else f"; still {change.after}"
    return f"{change.table}: {change.before} became {change.rebuilt}{outcome}"
