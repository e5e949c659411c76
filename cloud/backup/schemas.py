"""What the API says of backups."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Concern = Literal[
    "off",
    "no_writer",
    "base_old",
    "objects_old",
    "drill_failed",
    "drill_old",
    "wal_off",
    "wal_failing",
]


class BackupKeyList(BaseModel):
    """Public keys (hex) that boxes seal for; `at` UTC ms, `sig` head office's signature (hex)."""

    at: int
    keys: list[str]
    sig: str


class HandedIn(BaseModel):
    """The name under which a box's backup lies."""

    name: str


class BackupRun(BaseModel):
    """A backup that was made, or one that was restored and compared; times UTC ms."""

    kind: str
    at_ms: int
    took_ms: int
    is_ok: bool
    bytes: int
    reaches_ms: int | None


class LateBox(BaseModel):
    """A box without a backup of the last three days; `at_ms` null for none at all.

    `stick`: how its own backups on a stick fare: ok, off, or a code (`error.<code>`).
    """

    dev: str
    store_id: str
    store_name: str
    at_ms: int | None
    stick: str | None


class Backups(BaseModel):
    """How backups stand. `concerns` are codes of texts `backup.concern.<code>`, [] for none.

    `verified` is the last restore that was compared and was the same; `wal_at_ms` when
    PostgreSQL's log last went into the archive; `objects_at_ms` when what is published was last
    copied.
    """

    is_on: bool
    concerns: list[Concern]
    base: BackupRun | None
    drill: BackupRun | None
    verified: BackupRun | None
    wal_at_ms: int | None
    objects_at_ms: int | None
    boxes: int
    boxes_in_time: int
    late: list[LateBox]
