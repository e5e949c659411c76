"""An entry of another journal as one of this box's own: under its own id, so it counts once."""

from __future__ import annotations

from collections.abc import Callable

from edge.journal.store import EntryDraft, Journal
from shared.journal.carbon import Carbon
from shared.journal.event import EntrySalvaged, StreamOpened
from shared.wire.codec import parse_body, parse_event


def adopt(journal: Journal, carbon: Carbon, now_ms: Callable[[], int]) -> None:
    """Append `entry.salvaged`; nothing where the journal has that id, or for a stream's entry 0.

    RefusedError `wire.body` for a body that is no entry's.
    """
    raw = parse_body(carbon.body)
    if raw.get("type") == StreamOpened.type or "id" not in raw:
        return
    event = EntrySalvaged(carbon.stream, carbon.seq, carbon.hash.hex(), carbon.body.decode())
    if raw["type"] == EntrySalvaged.type:  # it has waited through more than one journal
        inner = parse_event(raw["type"], raw["data"])
        event = inner if isinstance(inner, EntrySalvaged) else event
    day = journal.day()
    journal.append(
        EntryDraft(
            id=str(raw["id"]),
            event=event,
            actor="",
            till="",
            biz=day.biz if day is not None and day.is_open else "",
            at_ms=now_ms(),
            cat=0,
        )
    )
