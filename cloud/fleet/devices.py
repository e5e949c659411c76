"""What a store's devices had, as its journal tells: troubles, recoveries, self-tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from cloud.db import Database
from cloud.fleet import device_store
from shared.kernel.errors import RefusedError
from shared.wire.codec import parse_body

FACTS_MAX = 500
CSV_MAX = 5_000
NEVER_MS = 1 << 53
TESTED = "self_test"
"""The device that a self-test's row names: it is about all of them."""


@dataclass(frozen=True, slots=True)
class DeviceFact:
    """One row of the history; `at_ms` UTC.  What does not apply is "" or 0.

    `what`: faulted, recovered, bound or tested. `code` is the fault; for a test the parts that
    failed with theirs, "" where all passed.
    """

    at_ms: int
    what: str
    device: str
    kind: str
    lane: int
    code: str
    state: str
    after_ms: int
    times: int


COLUMNS = tuple(each.name for each in fields(DeviceFact))


@dataclass(frozen=True, slots=True)
class DeviceHistory:
    """The newest facts, those troubles among them that stand, and whether there are older ones."""

    facts: Sequence[DeviceFact]
    standing: Sequence[DeviceFact]
    has_more: bool


def history(database: Database, store_id: str, before_ms: int, most: int) -> DeviceHistory:
    """The facts of a store before an instant, newest first; none for a store that has none."""
    found = _read(database, store_id, before_ms, min(most, FACTS_MAX) + 1)
    facts = found[:most]
    return DeviceHistory(facts, standing_of(facts), len(found) > len(facts))


def all_rows(database: Database, store_id: str) -> Iterable[tuple[Any, ...]]:
    """The newest rows of a download, at most `CSV_MAX`."""
    return (astuple(fact) for fact in _read(database, store_id, NEVER_MS, CSV_MAX))


def standing_of(newest_first: Iterable[DeviceFact]) -> list[DeviceFact]:
    """Of each device its last word, where that is a trouble. Pure."""
    last: dict[str, DeviceFact] = {}
    for fact in newest_first:
        if fact.what in {"faulted", "recovered"}:
            last.setdefault(fact.device, fact)
    return [fact for fact in last.values() if fact.what == "faulted"]


def fact_of(at_ms: int, kind: str, body: bytes) -> DeviceFact | None:
    """One entry as a row; None for one that cannot be read, which is in the work list. Pure."""
    try:
        data = parse_body(body)["data"]
        what = kind.rpartition(".")[2]
        if what == "tested":
            failed = sorted(f"{n} {r}" for n, r in data["results"].items() if r != "passed")
            return DeviceFact(at_ms, what, TESTED, "", 0, ", ".join(failed), "", 0, 0)
        return DeviceFact(
            at_ms=at_ms,
            what=what,
            device=str(data["device"]),
            kind=str(data["kind"]),
            lane=int(data["lane"]),
            code=str(data.get("code", data.get("address", ""))),
            state=str(data.get("state", "")),
            after_ms=int(data.get("after_ms", 0)),
            times=int(data.get("times", what == "recovered")),
        )
    except (RefusedError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _read(database: Database, store_id: str, before_ms: int, most: int) -> list[DeviceFact]:
    with database.begin() as connection:
        rows = device_store.facts(connection, store_id, before_ms, most)
    return [fact for row in rows if (fact := fact_of(*row)) is not None]
