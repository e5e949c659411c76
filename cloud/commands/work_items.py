"""`tillbox-cloud work-items`."""

from __future__ import annotations

import getpass
import json
from argparse import Namespace
from contextlib import closing
from datetime import UTC, datetime

from sqlalchemy import Connection

from cloud.clock import SystemClock
from cloud.commands.say import say
from cloud.db import database_of
from cloud.ingest.repost import repost as post_again
from cloud.posters import POSTERS
from cloud.settings import Settings
from cloud.texts import texts_of
from cloud.work import service
from cloud.work.service import Doer
from cloud.work.store import Row, WorkQuery

ITEMS_MAX = 10_000


def list_items(settings: Settings, chosen: Namespace) -> None:
    """One line per item: its name, store, date and what it is, or all of it as JSON."""
    query = WorkQuery(chosen.done, chosen.store, chosen.code, size=ITEMS_MAX)
    with closing(database_of(settings)) as database:
        found, total = service.items(database, query)
    if chosen.json:
        say(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for item in found:
        say(f"{item['item']}\t{item['store_id'] or '-'}\t{_at(item)}\t{_text(item, 'title', 'en')}")
    say(f"{total} {'settled' if chosen.done else 'open'}.")


def show(settings: Settings, chosen: Namespace) -> None:
    """What happened, what to do, what people wrote, and what it is about."""
    with closing(database_of(settings)) as database:
        item = service.item_of(database, chosen.item)
    say(f"{_text(item, 'title', chosen.language)} ({item['code']})")
    say(f"{item['store_id'] or '-'}  {_at(item)}")
    say(_text(item, "what", chosen.language))
    say(_text(item, "do", chosen.language))
    if item["is_done"]:
        say(f"settled: {item['how']}, {item['by']}: {item['reason']}")
    for note in item["notes"]:
        say(f"{_instant(note['at_ms'])} {note['by']}: {note['note']}")
    if item["text"]:
        say(item["text"])


def settle(settings: Settings, chosen: Namespace) -> None:
    """Settle an item with a reason."""
    with closing(database_of(settings)) as database:
        service.settle(database, chosen.item, _doer(chosen.reason))
    say(f"{chosen.item} is settled.")


def repost(settings: Settings, chosen: Namespace) -> int:
    """Book a flagged entry after all; exit status 1 when something still forbids it."""

    def post(connection: Connection, stream_id: bytes, seq: int) -> str | None:
        return post_again(connection, POSTERS, stream_id, seq)

    with closing(database_of(settings)) as database:
        flag = service.repost(database, chosen.item, _doer(""), post)
    if flag is None:
        say(f"{chosen.item} is booked.")
        return 0
    say(f"{chosen.item} is still not booked: {flag}")
    return 1


def _doer(text: str) -> Doer:
    return Doer(f"{getpass.getuser()} (command line)", SystemClock().now_ms(), text)


def _text(item: Row, part: str, language: str) -> str:
    texts = texts_of(language)
    keys = (f"work.{item['code']}.{part}", f"work.{item['kind']}.other.{part}")
    return next((texts[key] for key in keys if key in texts), texts[f"work.other.{part}"])


def _at(item: Row) -> str:
    return _instant(item["at_ms"])


def _instant(at_ms: int) -> str:
    try:
        return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return str(at_ms)  # the clock of a flagged entry may say anything
