"""Work items: list, look at one, note, settle, post an entry again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cloud.db import Database
from cloud.work import store
from cloud.work.store import Row, WorkQuery
from shared.kernel.errors import MissingError, RefusedError

ENTRY, COLD, DRILL = "entry", "cold", "drill"
TEXT_MAX = 1_000
_ITEM = re.compile(
    r"(?:entry|segment|cold):[0-9a-f]{32}:[0-9]{1,18}|stream:[0-9a-f]{32}|drill:[0-9]{1,18}"
    r"|stuck:d-[a-z2-7]{16}:[0-9]{1,18}"
    r"|certificate:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)

Repost = Callable[[Connection, bytes, int], str | None]
"""Posts the stored entry of a stream at a number again; answers the flag that it still has.

RefusedError `work.posted_before` when its id has had its effects already.
"""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts, when (UTC ms) and why."""

    by: str
    at_ms: int
    text: str = ""


def items(database: Database, query: WorkQuery) -> tuple[list[Row], int]:
    """One page of items and how many there are."""
    with database.begin() as connection:
        return store.page_of(connection, query)


def item_of(database: Database, item: str) -> Row:
    """One item with its notes and what it is about; MissingError `work.unknown`."""
    with database.begin() as connection:
        found = _found(connection, item)
        return {
            **found,
            **_subject(connection, found),
            "notes": store.notes_of(connection, item),
        }


def note(database: Database, item: str, doer: Doer) -> None:
    """Keep a note about an item; MissingError `work.unknown`, RefusedError `work.text`."""
    _check_text(doer)
    with database.begin() as connection:
        _found(connection, item)
        store.add_note(connection, item, doer.at_ms, doer.by, doer.text)


def settle(database: Database, item: str, doer: Doer) -> None:
    """Say that an item needs nothing more, and why.

    MissingError `work.unknown`, RefusedError `work.text` or `work.done_before`.
    """
    _check_text(doer)
    with database.begin() as connection:
        _settle(connection, _found(connection, item), doer, "done")


def repost(database: Database, item: str, doer: Doer, post: Repost) -> str | None:
    """Have a flagged entry's effects after all, once by its id; answers what still forbids it.

    MissingError `work.unknown`; RefusedError `work.not_an_entry`, `work.done_before`, or
    `work.posted_before` when the id has had its effects (then settle the item).
    """
    with database.begin() as connection:
        found = _found(connection, item)
        if found["kind"] != ENTRY:
            raise RefusedError("work.not_an_entry")
        if found["is_done"]:
            raise RefusedError("work.done_before", by=found["by"])
        stream, seq = _place(found)
        flag = post(connection, bytes.fromhex(stream), seq)
        if flag is None:
            _settle(connection, found, doer, "reposted")
        return flag


def _settle(connection: Connection, found: Row, doer: Doer, how: str) -> None:
    done = {"how": how, "done_at_ms": doer.at_ms, "by": doer.by, "reason": doer.text}
    if found["is_done"] or not store.add_done(connection, found, done):
        raise RefusedError("work.done_before", by=found["by"] or doer.by)


def _found(connection: Connection, item: str) -> Row:
    found = store.find(connection, item) if _ITEM.fullmatch(item) else None
    if found is None:
        raise MissingError("work.unknown", item=item[:80])
    return found


def _place(found: Row) -> tuple[str, int]:
    _, stream, seq = found["item"].split(":")
    return stream, int(seq)


def _subject(connection: Connection, found: Row) -> Row:
    """What a person has to read: the entry's body, the drill's report, the certificate."""
    empty: Row = dict.fromkeys(("stream", "seq", "entry_id", "entry_type", "hash", "text"))
    if found["kind"] in {ENTRY, COLD}:
        stream, seq = _place(found)
        entry = store.entry_of(connection, found["store_id"], stream, seq)
        body = bytes(entry.pop("body", b""))
        return {**empty, "stream": stream, "seq": seq, **entry, "text": readable(body)}
    if found["item"].startswith(("stream:", "segment:")):
        _, stream, *seq_text = found["item"].split(":")
        return {**empty, "stream": stream, "seq": int(seq_text[0]) if seq_text else None}
    if found["item"].startswith("stuck:"):
        return empty
    number = found["item"].partition(":")[2]
    if found["kind"] == DRILL:
        report = store.drill_report(connection, number)
        return {**empty, "text": "" if report is None else _pretty(report)}
    said = store.certificate_text(connection, found["store_id"], number)
    return {**empty, "text": readable((said or "").encode())}


def readable(body: bytes) -> str:
    """A body for a person: JSON with indents where it is JSON, its text otherwise."""
    try:
        told = _pretty(json.loads(body))
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
    return told.encode("utf-8", "replace").decode()  # half a surrogate pair is no text


def _pretty(value: Any) -> str:  # noqa: ANN401 - any JSON value
    # A salvaged entry holds the original as text: a person wants to read that too.
    if isinstance(value, dict) and isinstance(value.get("data"), dict):
        inner = value["data"].get("body")
        if isinstance(inner, str) and inner.startswith("{"):
            with suppress(ValueError):
                value = {**value, "data": {**value["data"], "body": json.loads(inner)}}
    return json.dumps(value, ensure_ascii=False, indent=2)


def _check_text(doer: Doer) -> None:
    if not doer.text.strip() or len(doer.text) > TEXT_MAX:
        raise RefusedError("work.text", max=TEXT_MAX)
