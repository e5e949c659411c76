"""`tillbox-cloud box`: which boxes there are, and which of them may still do what."""

from __future__ import annotations

import getpass
from argparse import Namespace
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cloud.clock import SystemClock
from cloud.commands.say import say
from cloud.compose import accounts_of
from cloud.db import database_of
from cloud.fleet import service as fleet
from cloud.fleet import standing
from cloud.fleet.standing import Order
from cloud.settings import Settings
from cloud.signing import read_hq_key


def list_boxes(settings: Settings, chosen: Namespace) -> None:
    """List every box with its journal: what has arrived and what it still holds."""
    del chosen
    with closing(database_of(settings)) as database:
        for box in fleet.boxes(database):
            head, edge_head = box["head_seq"], box["edge_head_seq"]
            missing = 0 if head is None else edge_head - head
            journal = f"{box['stream_status']}/{box['stream_cause']}/{box['streams']}"
            say(
                f"{box['dev']}\t{box['store_id']}\t{box['device_status']}\t{journal}\t"
                f"{missing} to come\t{_instant(box['last_contact_at_ms'])}"
            )


def show_box(settings: Settings, chosen: Namespace) -> None:
    """Show a box's journal lives and what was done to it."""
    with closing(database_of(settings)) as database:
        streams, events = standing.history(database, chosen.dev)
    for life in streams:
        say(
            f"{life['ordinal']}\t{life['stream']}\t{life['cause']}\t{life['status']}\t"
            f"{life['head_seq']} of {life['edge_head_seq']}, {life['safe_seq']} archived\t"
            f"{_instant(life['rx_at_ms'])}"
        )
    for event in events:
        say(f"{_instant(event.at_ms)}\t{event.action}\t{event.by}\t{event.reason}")


def retire(settings: Settings, chosen: Namespace) -> None:
    """Take a box out of service."""
    with closing(database_of(settings)) as database:
        standing.retire(database, _order(chosen))
    say(f"{chosen.dev} starts no new sales; it may still bring those that it has.")


def revoke(settings: Settings, chosen: Namespace) -> None:
    """Shut a box out."""
    with closing(database_of(settings)) as database:
        standing.revoke(database, accounts_of(settings), _order(chosen))
    say(f"{chosen.dev} is shut out. Another box of its store may bring what it had signed.")


def reinstate(settings: Settings, chosen: Namespace) -> None:
    """Put a box back into service."""
    hq_key = read_hq_key(Path(settings.hq_key_file))
    with closing(database_of(settings)) as database:
        standing.reinstate(database, accounts_of(settings), hq_key, _order(chosen))
    say(f"{chosen.dev} is in service again.")


def _order(chosen: Namespace) -> Order:
    by = chosen.by or getpass.getuser()
    return Order(chosen.dev, by, chosen.reason, SystemClock().now_ms())


def _instant(at_ms: int | None) -> str:
    if not at_ms:
        return "never"
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat(timespec="seconds")
