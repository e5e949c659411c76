"""How backups stand: what was made, what was rehearsed, which boxes hand none in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cloud.backup import store
from cloud.backup.sealed_files import is_proving, recipients_of
from cloud.backup.store import Archiver, Run
from cloud.db import Database
from cloud.settings import Settings

DAY_MS = 86_400_000
BOX_LATE_MS = 3 * DAY_MS
"""A box hands in once a day; a long weekend without power is no reason to call."""
DRILL_LATE_MS = 14 * DAY_MS
BASE_LATE_MS = 2 * DAY_MS
OBJECTS_LATE_MS = DAY_MS
SHOWN_MAX = 500


@dataclass(frozen=True, slots=True)
class BackupState:
    """`is_on`: there is a key to seal for; `is_proving`: and what proves who sealed.

    `objects_ms` is when what is published was last copied (UTC). `late` are boxes without a backup
    of three days.
    """

    is_on: bool
    is_proving: bool
    base: Run | None
    drill: Run | None
    verified: Run | None
    archiver: Archiver
    objects_ms: int | None
    boxes: int
    boxes_in_time: int
    late: list[dict[str, Any]]

    def concerns(self, now_ms: int) -> list[str]:
        """What needs a person, as codes (`backup.concern.<code>`); none when all is well."""
        if not self.is_on:
            return ["off"]
        found = [] if self.is_proving else ["no_writer"]
        if self.base is None or now_ms - self.base.at_ms > BASE_LATE_MS:
            found.append("base_old")
        if self.objects_ms is None or now_ms - self.objects_ms > OBJECTS_LATE_MS:
            found.append("objects_old")
        if self.drill is not None and not self.drill.is_ok:
            found.append("drill_failed")
        if self.verified is None or now_ms - self.verified.at_ms > DRILL_LATE_MS:
            found.append("drill_old")
        if not self.archiver.is_on:
            found.append("wal_off")
        elif self.archiver.is_failing:
            found.append("wal_failing")
        return found


def state_of(database: Database, now_ms: int, settings: Settings) -> BackupState:
    """Everything at one instant. RefusedError `backup.key` for recipients that are none."""
    is_on = bool(recipients_of(settings))
    with database.begin() as connection:
        boxes, in_time = store.box_counts(connection, now_ms - BOX_LATE_MS)
        found = store.box_backups(connection, SHOWN_MAX)
        return BackupState(
            is_on=is_on,
            is_proving=is_proving(settings),
            base=store.last_run(connection, "base", only_ok=True),
            drill=store.last_run(connection, "drill"),
            verified=store.last_run(connection, "drill", only_ok=True),
            archiver=store.archiver(connection),
            objects_ms=store.objects_copied_ms(connection),
            boxes=boxes,
            boxes_in_time=in_time,
            late=[row for row in found if is_late(row, now_ms)],
        )


def is_late(row: dict[str, Any], now_ms: int) -> bool:
    """Whether a box should have handed one in; a new one has its first days."""
    since_ms = row["at_ms"] if row["at_ms"] is not None else row["created_at_ms"]
    return bool(now_ms - since_ms > BOX_LATE_MS)
