"""`tillbox-cloud software`."""

from __future__ import annotations

import getpass
from argparse import Namespace
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cloud.archive.places import objects_of
from cloud.clock import SystemClock
from cloud.commands.say import say
from cloud.db import Database, database_of
from cloud.settings import Settings
from cloud.signing import read_hq_key
from cloud.software import queries, service
from cloud.software.bundle import About, bundle_of, put_bundle
from cloud.software.schemas import BoxFilter
from cloud.software.service import Doer, Publish
from cloud.texts import sentence
from shared.kernel.errors import MissingError, RetailError

HOUR_S = 3600


def add(settings: Settings, chosen: Namespace) -> None:
    """Take in the wheels of a folder as one version."""
    about = About(chosen.notes, chosen.requires, chosen.python)
    release, objects = bundle_of(chosen.folder, about), objects_of(settings)
    with closing(database_of(settings)) as database:
        service.add(
            database, release, lambda: put_bundle(chosen.folder, release, objects), _doer("")
        )
    arches = ", ".join(release.arches)
    say(f"{release.version}: {len(release.wheels)} wheels for {arches}. No store has it yet.")


def publish(settings: Settings, chosen: Namespace) -> None:
    """Sign a version and begin to bring it to the stores."""
    command = Publish(
        chosen.version, chosen.waves, int(chosen.soak_h * HOUR_S), chosen.hours, chosen.note
    )
    key = read_hq_key(Path(settings.hq_key_file))
    with closing(database_of(settings)) as database:
        made = service.publish(database, objects_of(settings), key, command, _doer(chosen.note))
        found = queries.rollout(database, made)
    waves = ", ".join(str(wave["stores"]) for wave in found["waves"])
    say(f"Rollout {made} of {chosen.version}: waves of {waves} stores.")


def halt(settings: Settings, chosen: Namespace) -> None:
    """Let no further box take it."""
    with closing(database_of(settings)) as database:
        rollout = _live(database)
        service.halt(database, rollout, _doer(chosen.reason))
    say(f"Rollout {rollout} is halted. Boxes that run it already go on with it.")


def resume(settings: Settings, chosen: Namespace) -> None:
    """Go on where it stood."""
    with closing(database_of(settings)) as database:
        rollout = _live(database)
        service.resume(database, rollout, _doer(chosen.reason))
    say(f"Rollout {rollout} goes on.")


def cancel(settings: Settings, chosen: Namespace) -> None:
    """Give it up."""
    with closing(database_of(settings)) as database:
        rollout = _live(database)
        service.cancel(database, rollout, _doer(chosen.reason))
    say(f"Rollout {rollout} is given up. Boxes that run it already go on with it.")


def status(settings: Settings, chosen: Namespace) -> None:
    """The versions, the newest rollout by wave, and each box that is not where it should be."""
    del chosen
    with closing(database_of(settings)) as database:
        found = queries.software(database)
        page = queries.boxes(database, BoxFilter(size=500), SystemClock().now_ms())
    for version in found["versions"]:
        say(f"{version['version']}\t{version['boxes']} boxes\t{version['notes']}")
    for rollout in found["rollouts"][:1]:
        because = f" ({_said(rollout['because'])})" if rollout["because"] else ""
        say(f"rollout {rollout['id']} of {rollout['version']}: {rollout['state']}{because}")
        for wave in rollout["waves"]:
            begun = _instant(wave["brought_at_ms"])
            done = f"{wave['current']} of {wave['stores']} stores, {wave['failed']} failed"
            say(f"  wave {wave['wave'] + 1}\t{begun}\t{done}")
    for box in page["boxes"]:
        if box["state"] != "current":
            why = f"\t{_said(box['error'])}" if box["error"] else ""
            say(f"{box['store_id']}\t{box['dev']}\t{box['running']}\t{box['state']}{why}")


def _live(database: Database) -> int:
    for each in queries.software(database)["rollouts"]:
        if each["state"] in {"rolling", "halted"}:
            return int(each["id"])
    raise MissingError("software.no_rollout", rollout="-")


def _said(code: str) -> str:
    return sentence(RetailError(code))


def _doer(reason: str) -> Doer:
    return Doer(f"{getpass.getuser()} (command line)", SystemClock().now_ms(), reason)


def _instant(at_ms: int | None) -> str:
    return "-" if at_ms is None else datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()
