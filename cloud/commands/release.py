"""`tillbox-cloud release`: what the console does with releases, for scripts and at night."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from cloud.archive.places import objects_of
from cloud.archivist import hq_key
from cloud.clock import SystemClock
from cloud.commands.say import say
from cloud.context import Principal
from cloud.db import database_of
from cloud.identity.service import principal_of
from cloud.publication.engine import Publisher
from cloud.release import queries, service
from cloud.release.schemas import ReleaseFilter
from cloud.release.service import Asked, Submit
from cloud.release.state import Verb
from cloud.release_works import SOURCES
from cloud.settings import Settings
from shared.kernel.errors import RefusedError
from shared.release.plan import SOAK_S, Plan, plan_of

ROWS_MAX = 500
NOBODY = Principal("", "", "", frozenset())
MOVES_SHOWN = 20


def list_releases(settings: Settings, chosen: Namespace) -> None:
    """One line per release, the newest first, or JSON."""
    asked = ReleaseFilter(state=chosen.state, size=ROWS_MAX)
    with _publisher(settings) as publisher:
        found = queries.releases(publisher.database, asked, NOBODY, SystemClock().now_ms())
    if chosen.json:
        _say_json(found["releases"])
        return
    for row in found["releases"]:
        progress = row["progress"]
        say(
            f"{row['release_id']}\t{row['state']}\twave {row['wave'] + 1}/{row['waves_count']}\t"
            f"{progress['active']}/{progress['total']} stores\t{_instant(row['created_at_ms'])}\t"
            f"{row['created_by']}\t{row['note']}"
        )


def show(settings: Settings, chosen: Namespace) -> None:
    """One release: waves, guards, events."""
    with _publisher(settings) as publisher:
        found = queries.release(publisher.database, chosen.release, NOBODY, SystemClock().now_ms())
    if chosen.json:
        _say_json(found)
    else:
        _say_release(found)


def draft(settings: Settings, chosen: Namespace) -> None:
    """What a release of all drafts would change."""
    with _publisher(settings) as publisher:
        found = service.draft_preview(publisher, SystemClock().now_ms())
    if chosen.json:
        _say_json(found)
        return
    say(f"{found['changes']} changes for {found['stores']} stores: {found['by_kind']}")
    for move in found["moves"][:MOVES_SHOWN]:
        share = "new" if move["move_bp"] is None else f"{move['move_bp'] / 100:.1f} %"
        where = move["store_id"] or move["scope"] or "all stores"
        say(f"  {move['gtin']} {where}: {move['old_minor']} -> {move['new_minor']} ({share})")
    say(f"below cost: {found['below_cost_total']}")
    for finding in found["findings"]:
        say(f"  {finding['severity']} {finding['code']} {finding['where']}")
    for because in found["approval_because"]:
        say(f"a second person: {because['rule']} {because['value']} > {because['limit']}")


def submit(settings: Settings, chosen: Namespace) -> None:
    """Hand in all drafts as one release."""
    plan = None if chosen.waves is None else _plan(chosen.waves, chosen.soak)
    command = Submit(chosen.note, chosen.starts or None, plan, chosen.approve)
    with _publisher(settings) as publisher:
        release_id = service.submit(publisher, command, _asked(publisher, chosen))
    say(f"{release_id}")


def act(settings: Settings, chosen: Namespace) -> None:
    """Do with a release what the verb says, as a person of the console."""
    verb = Verb(chosen.verb)
    with _publisher(settings) as publisher:
        shown = service.act(publisher, chosen.release, verb, _asked(publisher, chosen))
        found = queries.release(publisher.database, shown, NOBODY, SystemClock().now_ms())
    _say_release(found)


@contextmanager
def _publisher(settings: Settings) -> Iterator[Publisher]:
    with closing(database_of(settings)) as database:
        yield Publisher(database, objects_of(settings), hq_key(settings), SOURCES)


def _asked(publisher: Publisher, chosen: Namespace) -> Asked:
    person = principal_of(publisher.database, chosen.by)
    return Asked(person, SystemClock().now_ms(), chosen.reason)


def _plan(waves: str, soak_min: int | None) -> Plan:
    """Waves from "1,10,50,100"; RefusedError `release.plan`."""
    soak_s = SOAK_S if soak_min is None else soak_min * 60
    rows = []
    for number, each in enumerate(waves.split(","), start=1):
        share = each.strip().removesuffix("%").strip()
        if not share.isdecimal() or not 1 <= int(share) <= 100:  # noqa: PLR2004 - a percentage
            raise RefusedError("release.plan", wave=number)
        rows.append({"name": f"{int(share)} %", "percent": int(share), "soak_s": soak_s})
    return plan_of(rows)


def _say_release(found: dict[str, Any]) -> None:
    say(f"release {found['release_id']}: {found['state']} {found['because'] or ''}".rstrip())
    for wave in found["waves"]:
        progress = wave["progress"]
        say(
            f"  {wave['name']}: {wave['state']}, {wave['stores']} stores,"
            f" {progress['stored']} stored, {progress['active']} active"
        )
    for guard in found["guards"]:
        if guard["state"] == "tripped":
            seen = ", ".join(f"{each['store_id']} {each['text']}" for each in guard["evidence"])
            say(f"  guard {guard['guard']}: {guard['value']} {guard['unit']} ({seen})")
    for event in found["events"]:
        who = event["by"] or "-"
        say(f"  {_instant(event['at_ms'])} {who} {event['action']} {event['reason']}".rstrip())


def _say_json(value: object) -> None:
    say(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
