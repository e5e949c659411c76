"""The last troubles of each device and the last self-test, for the health page; in desk.db."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from edge.sqlite import Writer

KEPT_PER_DEVICE = 50


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One trouble, UTC ms; `until_ms` None while it stands; `times` counts its faults."""

    device: str
    code: str
    state: str
    at_ms: int
    until_ms: int | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class SelfTestRow:
    """The last self-test: `results` by device or part, passed or a code; whether somebody saw it.

    `asked_by` is "" for the one at night.
    """

    at_ms: int
    results: Mapping[str, str]
    asked_by: str = ""
    is_seen: bool = False

    @property
    def is_passed(self) -> bool:
        """Whether nothing was found."""
        return all(each == "passed" for each in self.results.values())


class FaultBook:
    """Rows of `device_fault` and `self_test`."""

    def __init__(self, database: Writer) -> None:
        self._database = database

    def begin(self, row: FaultRow) -> None:
        """Note a trouble; one of this device that still stands becomes this one."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE device_fault SET until_ms=?2 WHERE device=?1 AND until_ms IS NULL",
                (row.device, row.at_ms),
            )
            connection.execute(
                "INSERT INTO device_fault(device, code, state, at_ms, until_ms, times)"
                " VALUES(?,?,?,?,?,?)",
                (row.device, row.code, row.state, row.at_ms, row.until_ms, row.times),
            )
            connection.execute(
                "DELETE FROM device_fault WHERE device=?1 AND n NOT IN"
                " (SELECT n FROM device_fault WHERE device=?1 ORDER BY n DESC LIMIT ?2)",
                (row.device, KEPT_PER_DEVICE),
            )

    def end(self, device: str, until_ms: int, times: int) -> None:
        """The trouble of a device that stands is over."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE device_fault SET until_ms=?2, times=?3"
                " WHERE device=?1 AND until_ms IS NULL",
                (device, until_ms, times),
            )

    def standing(self) -> list[FaultRow]:
        """Every trouble that stood when the box was last told of it."""
        rows = self._database.rows(
            "SELECT device, code, state, at_ms, until_ms, times FROM device_fault"
            " WHERE until_ms IS NULL ORDER BY n"
        )
        return [FaultRow(*row) for row in rows]

    def history(self, devices: int) -> list[FaultRow]:
        """The newest first, as many as so many devices may have."""
        rows = self._database.rows(
            "SELECT device, code, state, at_ms, until_ms, times FROM device_fault"
            " ORDER BY n DESC LIMIT ?",
            (devices * KEPT_PER_DEVICE,),
        )
        return [FaultRow(*row) for row in rows]

    def keep_test(self, row: SelfTestRow) -> None:
        """Keep the newest self-test only."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO self_test(one, at_ms, results, asked_by, is_seen)"
                " VALUES(1,?,?,?,?)",
                (row.at_ms, orjson.dumps(dict(row.results)), row.asked_by, int(row.is_seen)),
            )

    def seen(self) -> None:
        """Somebody has looked at the last self-test."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE self_test SET is_seen=1")

    def last_test(self) -> SelfTestRow | None:
        """The last self-test, None before the first."""
        rows = self._database.rows("SELECT at_ms, results, asked_by, is_seen FROM self_test")
        if not rows:
            return None
        at_ms, results, asked_by, is_seen = rows[0]
        return SelfTestRow(at_ms, orjson.loads(results), asked_by, bool(is_seen))
