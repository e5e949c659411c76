"""`tillbox-cloud drill`: everything back from archive or backup, compared with what lives."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing

from cloud.archive.places import archive_of
from cloud.archivist import hq_key, terms_of
from cloud.clock import SystemClock
from cloud.commands.flaws import flaw_text
from cloud.commands.progress import ProgressBar
from cloud.commands.say import say
from cloud.db import database_of
from cloud.migrations.state import require_migrated
from cloud.posters import POSTERS
from cloud.recovery.drill import DrillReport, Office, drill
from cloud.settings import Settings

SHOWN_MAX = 50


def run_drill(settings: Settings, chosen: Namespace) -> int:
    """Run it and keep its outcome; every difference, and status 1 when there is one."""
    if chosen.source == "backup":
        from cloud.commands.backup import drill as drill_backup  # noqa: PLC0415 - loads boto3

        return drill_backup(settings, chosen)
    bar = ProgressBar(sys.stderr, "segments")
    with closing(database_of(settings)) as database:
        require_migrated(database)
        office = Office(
            database,
            archive_of(settings),
            POSTERS,
            SystemClock(),
            hq_key(settings),
            terms_of(settings),
        )
        try:
            report = drill(office, chosen.into, bar.show)
        finally:
            bar.close()
    _say_report(report)
    return int(not report.is_ok)


def _say_report(report: DrillReport) -> None:
    for where, code in report.differences[:SHOWN_MAX]:
        say(f"{where}: {flaw_text(code, name=where)}")
    say(
        f"{report.entries:,} entries of {report.streams:,} journals and {report.trees:,} daily"
        f" seals restored in {report.took_ms / 1000:.1f} s;"
        f" {report.tables:,} books compared."
    )
    if report.is_ok:
        say("The archive alone brings everything back.")
    else:
        say(
            f"THE DRILL FAILED with {len(report.differences)} differences. Boxes keep everything"
            " until a drill succeeds. Look at `tillbox-cloud verify --archive`."
        )
