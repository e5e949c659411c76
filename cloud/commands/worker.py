"""`tillbox-cloud worker`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from cloud import logs
from cloud.db import database_of
from cloud.migrations.state import require_migrated
from cloud.settings import Settings
from cloud.worker import run


def worker(settings: Settings, chosen: Namespace) -> int:
    """Take in the stores' journals until a signal."""
    del chosen
    with closing(database_of(settings)) as database:
        require_migrated(database)
    logs.set_up(settings.log_level)
    return run(settings)
