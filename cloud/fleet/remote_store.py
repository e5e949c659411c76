"""SQL of what boxes are told to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

_ACTIVE = text("""
    SELECT dev, store_id FROM device WHERE dev = ANY(:devs) AND status = 'active' FOR SHARE""")
_STANDING_COUNTS = text("""
    SELECT dev, count(*) FROM command WHERE is_standing AND dev = ANY(:devs) GROUP BY dev""")
_ADD = text("""
    INSERT INTO command (id, dev, store_id, kind, args, asked_by, reason, asked_at_ms,
        not_after_ms)
    SELECT t.id, t.dev, t.store_id, :kind, CAST(:args AS jsonb), :by, :reason, :at_ms, :not_after
    FROM unnest(CAST(:ids AS text[]), CAST(:devs AS text[]), CAST(:stores AS text[]))
        AS t (id, dev, store_id)""")
_STANDING = text("""
    SELECT dev, id, kind, not_after_ms, args FROM command
    WHERE is_standing AND dev = ANY(:devs) ORDER BY dev, asked_at_ms, id""")
# What nobody has answered in time is expired for people, but stands until the box has spoken: it
# may have done it all the same.
_EXPIRE = text("""
    UPDATE command SET state = 'expired', code = 'command.no_answer'
    WHERE is_standing AND state = 'waiting' AND not_after_ms < :before_ms""")
_MAKE_ROOM = text("""
    UPDATE command SET is_standing = false,
        state = CASE WHEN state = 'waiting' THEN 'expired' ELSE state END,
        code = CASE WHEN state = 'waiting' THEN 'command.no_answer' ELSE code END
    WHERE is_standing AND dev = ANY(:devs) AND not_after_ms < :now_ms""")
# The box's word counts once: the first, also after HQ gave up waiting or called it off.
_RESULT = text("""
    UPDATE command SET state = :state, code = :code, detail = :detail, done_at_ms = :done_at_ms,
        heard_at_ms = :now_ms, is_standing = false
    WHERE id = :id AND dev = :dev AND heard_at_ms IS NULL RETURNING dev""")
_CANCEL = text("""
    UPDATE command SET state = 'cancelled', is_standing = false, code = '', detail = :by
    WHERE id = :id AND is_standing AND state = 'waiting' RETURNING dev""")
_LIST = text("""
    SELECT c.id, c.dev, c.store_id, coalesce(store.name, '') AS store_name, c.kind, c.args,
        c.asked_by, c.reason, c.asked_at_ms, c.not_after_ms, c.state, c.code, c.detail,
        c.object_size AS log_bytes, c.done_at_ms, c.heard_at_ms
    FROM command c LEFT JOIN store USING (store_id)
    WHERE (:dev = '' OR c.dev = :dev) AND (:state = '' OR c.state = :state)
    ORDER BY c.asked_at_ms DESC, c.id LIMIT :most OFFSET :skip""")
_UPLOADING = text("""
    SELECT is_standing, kind FROM command WHERE id = :id AND dev = :dev FOR UPDATE""")
_KEEP_LOG = text("""
    INSERT INTO command_log (id, at_ms, data) VALUES (:id, :at_ms, :data)
    ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms, data = excluded.data""")
_NAME_LOG = text("UPDATE command SET object = :name, object_size = :size WHERE id = :id")
_LOG = text("""
    SELECT command_log.data, command.store_id FROM command_log JOIN command USING (id)
    WHERE id = :id""")
_FORGET_LOGS = text("DELETE FROM command_log WHERE at_ms < :before_ms")
_UNNAME_LOGS = text("""
    UPDATE command SET object_size = 0 WHERE object_size > 0 AND asked_at_ms < :old_ms
        AND NOT EXISTS (SELECT FROM command_log l WHERE l.id = command.id)""")
_FORGET = text("DELETE FROM command WHERE asked_at_ms < :before_ms AND NOT is_standing")


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing for several boxes: (command id, dev, store id) of each; times UTC ms."""

    boxes: Sequence[tuple[str, str, str]]
    kind: str
    args: dict[str, str]
    by: str
    reason: str
    at_ms: int
    not_after_ms: int


def active(connection: Connection, devs: Sequence[str]) -> dict[str, str]:
    """The store of each of these boxes that is in service."""
    rows = connection.execute(_ACTIVE, {"devs": list(devs)})
    return {row[0]: row[1] for row in rows}


def make_room(connection: Connection, devs: Sequence[str], now_ms: int) -> None:
    """Let go of what these boxes have not answered in time."""
    connection.execute(_MAKE_ROOM, {"devs": list(devs), "now_ms": now_ms})


def standing_counts(connection: Connection, devs: Sequence[str]) -> dict[str, int]:
    """How many commands each box has that stand."""
    rows = connection.execute(_STANDING_COUNTS, {"devs": list(devs)})
    return {row[0]: row[1] for row in rows}


def add(connection: Connection, asked: Asked) -> None:
    """Write down what is asked."""
    ids, devs, stores = zip(*asked.boxes, strict=True)
    values = {
        "ids": list(ids),
        "devs": list(devs),
        "stores": list(stores),
        "kind": asked.kind,
        "args": orjson.dumps(asked.args).decode(),
        "by": asked.by,
        "reason": asked.reason,
        "at_ms": asked.at_ms,
        "not_after": asked.not_after_ms,
    }
    connection.execute(_ADD, values)


def standing(connection: Connection, devs: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """What each of these boxes is to do, as its desired document says it."""
    found: dict[str, list[dict[str, Any]]] = {dev: [] for dev in devs}
    for dev, command_id, kind, not_after, args in connection.execute(
        _STANDING, {"devs": list(devs)}
    ):
        command = {"id": command_id, "kind": kind, "not_after": not_after, "args": args}
        found[dev].append(command)
    return found


def result(connection: Connection, values: dict[str, Any]) -> bool:
    """Keep what a box says became of a command; False where it has said so before."""
    return connection.execute(_RESULT, values).one_or_none() is not None


def cancel(connection: Connection, command_id: str, by: str) -> str | None:
    """Call a waiting command off; whose it was."""
    values = {"id": command_id, "by": by}
    dev: str | None = connection.execute(_CANCEL, values).scalar_one_or_none()
    return dev


def expire(connection: Connection, before_ms: int) -> None:
    """Nobody has answered these in time."""
    connection.execute(_EXPIRE, {"before_ms": before_ms})


def commands(
    connection: Connection, dev: str, state: str, most: int, skip: int
) -> list[dict[str, Any]]:
    """What was asked, the newest first; "" for all boxes, and for all states."""
    values = {"dev": dev, "state": state, "most": most, "skip": skip}
    return [dict(row) for row in connection.execute(_LIST, values).mappings()]


def wants_log(connection: Connection, command_id: str, dev: str) -> bool:
    """Whether this box was asked for its logs and has not yet said that it is done."""
    values = {"id": command_id, "dev": dev}
    found = connection.execute(_UPLOADING, values).one_or_none()
    return found is not None and bool(found[0]) and found[1] == "collect_logs"


def keep_log(connection: Connection, command_id: str, data: bytes, name: str, at_ms: int) -> None:
    """Keep what a box handed in; `name` is its SHA-256."""
    connection.execute(_KEEP_LOG, {"id": command_id, "at_ms": at_ms, "data": data})
    connection.execute(_NAME_LOG, {"id": command_id, "name": name, "size": len(data)})


def log(connection: Connection, command_id: str) -> tuple[bytes, str] | None:
    """What a box handed in, and its store."""
    found = connection.execute(_LOG, {"id": command_id}).one_or_none()
    return None if found is None else (bytes(found[0]), found[1])


def forget(connection: Connection, logs_before_ms: int, before_ms: int) -> None:
    """Drop old logs, and old commands that do not stand."""
    connection.execute(_FORGET_LOGS, {"before_ms": logs_before_ms})
    connection.execute(_UNNAME_LOGS, {"old_ms": logs_before_ms})
    connection.execute(_FORGET, {"before_ms": before_ms})
