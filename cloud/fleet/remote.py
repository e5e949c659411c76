"""Tell boxes to do something: written down, put into their desired documents, answered once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection

from cloud.db import Database
from cloud.desired import DesiredPart, desire_parts
from cloud.fleet import remote_store
from cloud.mqtt import Message
from shared.kernel.canonical import sha256
from shared.kernel.clock import Clock
from shared.kernel.errors import MissingError, RefusedError
from shared.wire.message import COMMANDS_MAX, CommandResult, parse_message
from shared.wire.topics import device_of

BOXES_MAX = 500
MINUTES_MAX = 7 * 24 * 60
DRILL_MINUTES_MAX = 60
GRACE_MS = 120_000
"""After the last moment for a command: what was begun in time may be told that much later."""
LOG_BYTES_MAX = 1 << 20
LOGS_KEPT_MS, KEPT_MS = 30 * 86_400_000, 400 * 86_400_000
KINDS: dict[str, frozenset[str]] = {
    "test_page": frozenset({"printer"}),
    "collect_logs": frozenset(),
    "restart": frozenset(),
    "offline_drill": frozenset({"minutes"}),
    "self_test": frozenset(),
    "price_check": frozenset({"gtin", "qty", "at"}),
}
"""What boxes can be told, and the arguments that it takes."""
STATES = frozenset({"done", "failed", "refused", "expired"})
_ARG_MAX = 64
COMMANDS_LOOKED_AT = 50
_GZIP_MAGIC = b"\x1f\x8b"
_log = structlog.get_logger("cloud.fleet")


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing for several boxes, to be begun within `minutes`."""

    devs: Sequence[str]
    kind: str
    args: dict[str, str] = field(default_factory=dict)
    by: str = ""
    reason: str = ""
    minutes: int = 60


def ask(database: Database, order: Ask, at_ms: int, new_id: Callable[[], str]) -> list[str]:
    """Have boxes do something; the commands' ids, in the order of the boxes.

    RefusedError `command.kind`, `command.args`, `command.boxes`, `command.reason`,
    `command.minutes`, `command.too_many`; MissingError `box.unknown` for one not in service.
    """
    _check(order)
    devs = sorted(set(order.devs))
    with database.begin() as connection:
        stores = remote_store.active(connection, devs)
        if missing := set(devs) - set(stores):
            raise MissingError("box.unknown", dev=min(missing)[:40])
        remote_store.make_room(connection, devs, at_ms)
        for dev, count in remote_store.standing_counts(connection, devs).items():
            if count >= COMMANDS_MAX:
                raise RefusedError("command.too_many", dev=dev, most=COMMANDS_MAX)
        ids = [new_id() for _ in devs]
        boxes = [(each, dev, stores[dev]) for each, dev in zip(ids, devs, strict=True)]
        not_after_ms = at_ms + order.minutes * 60_000
        reason = order.reason.strip()
        asked = remote_store.Asked(
            boxes, order.kind, order.args, order.by, reason, at_ms, not_after_ms
        )
        remote_store.add(connection, asked)
        _desire(connection, devs, at_ms)
    _log.info("fleet.commanded", kind=order.kind, boxes=len(devs), by=order.by)
    return ids


def cancel(database: Database, command_id: str, by: str, at_ms: int) -> None:
    """Call a command off that waits; a box that has done it meanwhile says so all the same.

    RefusedError `command.not_waiting`.
    """
    with database.begin() as connection:
        dev = remote_store.cancel(connection, command_id, by)
        if dev is None:
            raise RefusedError("command.not_waiting")
        _desire(connection, [dev], at_ms)


def take_result(database: Database, dev: str, result: CommandResult, now_ms: int) -> bool:
    """Keep what became of a command, and want it no more; False for old news.

    RefusedError `command.state` for a word that is none.
    """
    if result.state not in STATES:
        raise RefusedError("command.state", state=result.state[:40])
    values = {
        "id": result.id,
        "dev": dev,
        "state": result.state,
        "code": result.code,
        "detail": result.detail,
        "done_at_ms": result.t,
        "now_ms": now_ms,
    }
    with database.begin() as connection:
        is_news = remote_store.result(connection, values)
        # Also for old news: the box may not have heard that its command is wanted no more.
        _desire(connection, [dev], now_ms)
    if is_news:
        _log.info("fleet.command_ended", dev=dev, id=result.id, state=result.state)
    return is_news


def keep_log(database: Database, dev: str, command_id: str, data: bytes, now_ms: int) -> None:
    """Keep the logs that a box was asked for; brought again they take the place of the first.

    MissingError `command.unknown` where nobody asked, RefusedError `command.log` for no such file.
    """
    if not data.startswith(_GZIP_MAGIC) or len(data) > LOG_BYTES_MAX:
        raise RefusedError("command.log", most=LOG_BYTES_MAX)
    with database.begin() as connection:
        if not remote_store.wants_log(connection, command_id, dev):
            raise MissingError("command.unknown")
        remote_store.keep_log(connection, command_id, data, sha256(data).hex(), now_ms)


def command(database: Database, dev: str, command_id: str) -> dict[str, Any] | None:
    """One of the newest commands of a box; None for one that it was not asked."""
    newest = commands(database, dev, "", COMMANDS_LOOKED_AT)
    return next((each for each in newest if each["id"] == command_id), None)


def log_of(database: Database, command_id: str) -> tuple[bytes, str]:
    """The logs that a box handed in (gzip), and its store. MissingError `command.no_log`."""
    with database.begin() as connection:
        found = remote_store.log(connection, command_id)
    if found is None:
        raise MissingError("command.no_log")
    return found


def commands(
    database: Database, dev: str, state: str, most: int, skip: int = 0
) -> list[dict[str, Any]]:
    """What was asked, the newest first; "" for all boxes, and for all states."""
    with database.begin() as connection:
        return remote_store.commands(connection, dev, state, most, skip)


def expire(connection: Connection, now_ms: int) -> None:
    """Tell people of commands that nobody has answered in time."""
    remote_store.expire(connection, now_ms - GRACE_MS)


def forget(connection: Connection, now_ms: int) -> None:
    """Logs are kept for a month, what was asked for longer."""
    remote_store.forget(connection, now_ms - LOGS_KEPT_MS, now_ms - KEPT_MS)


@dataclass(frozen=True, slots=True)
class ResultConsumer:
    """Takes results from the broker; safe from several threads and workers."""

    database: Database
    clock: Clock

    def on_result(self, message: Message) -> None:
        """Keep a box's word; see `take_result`."""
        dev, result = device_of(message.topic), parse_message(CommandResult, message.payload)
        take_result(self.database, dev, result, self.clock.now_ms())


def _desire(connection: Connection, devs: Sequence[str], at_ms: int) -> None:
    wanted = remote_store.standing(connection, devs)
    parts = {dev: commands or None for dev, commands in wanted.items()}
    desire_parts(connection, DesiredPart.COMMANDS, parts, at_ms)


def _check(order: Ask) -> None:
    known = KINDS.get(order.kind)
    if known is None:
        raise RefusedError("command.kind", kind=order.kind[:40])
    if not set(order.args) <= known or any(len(each) > _ARG_MAX for each in order.args.values()):
        raise RefusedError("command.args")
    if order.kind == "offline_drill":
        minutes = order.args.get("minutes", "")
        if not minutes.isascii() or not minutes.isdigit():
            raise RefusedError("command.args")
        if not 1 <= int(minutes) <= DRILL_MINUTES_MAX:
            raise RefusedError("command.args")
    if not 1 <= len(set(order.devs)) <= BOXES_MAX:
        raise RefusedError("command.boxes", most=BOXES_MAX)
    if not order.reason.strip():
        raise RefusedError("command.reason")
    if not 1 <= order.minutes <= MINUTES_MAX:
        raise RefusedError("command.minutes", most=MINUTES_MAX)
