"""The health page's content from what the watch and the self-test know. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from edge.device.ports import DeviceReport
from edge.ops.fault_book import FaultRow, SelfTestRow
from edge.ops.schemas import DeviceBody, FaultBody, SelfTestBody, TestResultBody
from edge.ops.trouble import is_well

HEADINGS = ("device", "kind", "lane", "adapter", "address", "state", "code", "at", "until", "times")


def devices_of(reports: Iterable[DeviceReport], history: Iterable[FaultRow]) -> list[DeviceBody]:
    """The devices that want something first, then by lane, kind and id."""
    rows: dict[str, list[FaultRow]] = defaultdict(list)
    for row in history:
        rows[row.device].append(row)
    ordered = sorted(reports, key=lambda each: (is_well(each.state), each.lane, each.kind, each.id))
    return [_device(each, rows[each.id]) for each in ordered]


def self_test_of(row: SelfTestRow | None) -> SelfTestBody | None:
    """A self-test with what failed first; None where there was none."""
    if row is None:
        return None
    found = sorted(row.results.items(), key=lambda each: (each[1] == "passed", each[0]))
    return SelfTestBody(
        at_ms=row.at_ms,
        is_passed=row.is_passed,
        asked_by=row.asked_by,
        is_seen=row.is_seen,
        results=[TestResultBody(name=name, result=result) for name, result in found],
    )


def csv_rows(reports: Iterable[DeviceReport], history: Iterable[FaultRow]) -> list[list[str]]:
    """Every device as it is now, then every trouble that is remembered, newest first."""
    known = {each.id: each for each in reports}
    now = [
        _cells(known, FaultRow(each.id, _fault(each) or "", each.state.state, each.state.since_ms))
        for each in known.values()
    ]
    then = [_cells(known, row) for row in history]
    return [list(HEADINGS), *now, *then]


def _cells(known: Mapping[str, DeviceReport], row: FaultRow) -> list[str]:
    each = known.get(row.device)
    place = ["", "", "", ""]
    if each is not None:
        place = [each.kind, str(each.lane), each.adapter, each.address]
    until = "" if row.until_ms is None else str(row.until_ms)
    return [row.device, *place, row.state, row.code, str(row.at_ms), until, str(row.times)]


def _device(report: DeviceReport, history: list[FaultRow]) -> DeviceBody:
    state = report.state
    return DeviceBody(
        id=report.id,
        kind=report.kind,
        lane=report.lane,
        adapter=report.adapter,
        address=report.address,
        state=state.state,
        since_ms=state.since_ms,
        fault=_fault(report),
        last_fault=state.last_fault,
        capability={name: _plain(value) for name, value in asdict(report.capability).items()},
        counters=dict(sorted(report.counters.items())),
        history=[
            FaultBody(
                code=row.code,
                state=row.state,
                at_ms=row.at_ms,
                until_ms=row.until_ms,
                times=row.times,
            )
            for row in history
        ],
    )


def _fault(report: DeviceReport) -> str | None:
    return None if is_well(report.state) else report.state.last_fault or "device.silent"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
