"""Try again to post an entry that was stored without effects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from cloud.ingest import flagged_store
from cloud.ingest.desk import Written, heads_of, post_again
from cloud.ingest.entry import SALVAGED, EntryHead, flaw_of, original_of
from cloud.ingest.posting import Poster
from cloud.ingest.store import StreamKey
from shared.kernel.errors import RefusedError


def repost(
    connection: Connection, posters: Sequence[Poster], stream_id: bytes, seq: int
) -> str | None:
    """Give a flagged entry its effects, once by its id; answers the flag that it still has.

    Raises RefusedError `work.posted_before` when its id has had its effects: what differs from
    them is for a person to judge. `work.unknown_entry` when there is no such flagged entry.
    """
    found = flagged_store.lock_flagged(connection, stream_id, seq)
    if found is None:
        raise RefusedError("work.unknown_entry", seq=seq)
    store_id, body = found
    written = Written(store_id, stream_id.hex(), seq, (body,))
    head = next(heads_of(written))
    original = original_of(head) if head.type == SALVAGED else head
    if (
        original is not None
        and flaw_of(original) is None
        and _is_posted(connection, posters, store_id, original)
    ):
        raise RefusedError("work.posted_before", entry=original.id)
    flags = post_again(connection, posters, written)
    flag = flags[0][1] if flags else None
    flagged_store.set_flag(connection, StreamKey(stream_id, store_id), seq, flag)
    return flag


def _is_posted(
    connection: Connection, posters: Sequence[Poster], store_id: str, entry: EntryHead
) -> bool:
    return any(
        entry.id in poster.posted(connection, store_id, [entry.id])
        for poster in posters
        if entry.type in poster.entry_types
    )
