"""All that waits goes to every store at once, by the engine alone: a release without waves."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from cloud.publication import engine
from cloud.publication.engine import PUBLICATION_LOCK, Act, Publisher
from shared.kernel.errors import RefusedError

_NEW_RELEASE = text("SELECT nextval('release_release_id_seq')")


@dataclass(frozen=True, slots=True)
class Publish:
    """Who publishes, when and why."""

    by: str
    at_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Published:
    """A finished publication and how many stores it reaches."""

    rev: int
    at_ms: int
    stores: int


def publish(publisher: Publisher, command: Publish) -> Published:
    """Make a revision of all drafts, one publication at a time.

    Raises RefusedError `publication.nothing` when no store would get anything new,
    `publication.conflict` while a release in flight changes the same,
    UnavailableError `objects.unavailable`.
    """
    published = publisher.database.alone(
        PUBLICATION_LOCK, lambda connection: _publish(publisher, connection, command)
    )
    if published is None:
        raise RefusedError("publication.nothing")
    return published


def _publish(publisher: Publisher, connection: Connection, command: Publish) -> Published | None:
    release_id = int(connection.execute(_NEW_RELEASE).scalar_one())
    frozen = engine.freeze(publisher, connection, release_id, command.at_ms)
    act = Act(command.by, command.at_ms, command.note)
    if not frozen.stores:  # what changes nothing is a draft no more, what reaches nobody is one
        engine.drop(publisher, connection, release_id, give_back=frozen.changes > 0)
        return None
    moved = engine.bring(publisher, connection, release_id, dict.fromkeys(frozen.stores, 0), act)
    engine.settle(publisher, connection, release_id, act)
    return Published(moved.rev, command.at_ms, moved.stores)
