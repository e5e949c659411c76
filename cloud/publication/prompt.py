"""What waits for no release: people of the stores, whose PIN, badge or end must count at once.

Each such source is published alone, to the stores that it concerns: no price, offer or setting
that somebody is drafting goes along. It asks for no approval, as it is no release; who may change
people is asked where they are changed.
"""

from __future__ import annotations

from dataclasses import replace

import structlog
from sqlalchemy import Connection, text

from cloud.publication import engine
from cloud.publication.engine import PUBLICATION_LOCK, Act, Moved, Publisher
from cloud.records import Prompt
from shared.kernel.errors import RefusedError

# Until something was published at all there is no till that could hear of it.
_BEGAN = text("SELECT EXISTS (SELECT FROM lineage)")
# Numbers of releases, so that it is known which of two that change the same is the newer.
_NEXT = text("SELECT nextval('release_release_id_seq')")
_log = structlog.get_logger("cloud.publication")


def is_due(publisher: Publisher, connection: Connection) -> bool:
    """Whether something waits that `publish` would bring."""
    began = bool(connection.execute(_BEGAN).scalar_one())
    return began and any(source.waiting(connection) for source in _prompt(publisher))


def publish(publisher: Publisher, now_ms: int) -> int:
    """Bring it in one transaction; how many stores get a new revision.

    Raises RefusedError `publication.conflict` while a release in flight changes the same people,
    UnavailableError `objects.unavailable`; then it waits on.
    """
    return publisher.database.alone(
        PUBLICATION_LOCK,
        lambda connection: sum(
            _publish(publisher, connection, source, now_ms).stores for source in _prompt(publisher)
        ),
    )


def publish_first(publisher: Publisher, connection: Connection, now_ms: int) -> None:
    """Bring it before a release takes all drafts, in which it would wait for somebody's word.

    Inside `Database.alone(PUBLICATION_LOCK, ...)`. What cannot go now goes with the release.
    """
    if not is_due(publisher, connection):
        return
    for source in _prompt(publisher):
        try:
            with connection.begin_nested():
                _publish(publisher, connection, source, now_ms)
        except RefusedError as error:
            _log.warning("publication.prompt_waiting", because=str(error))


def _publish(publisher: Publisher, connection: Connection, source: Prompt, now_ms: int) -> Moved:
    waiting = source.waiting(connection)
    if waiting is None:
        return Moved(0, 0)
    only = replace(publisher, sources=(source,))
    release_id = int(connection.execute(_NEXT).scalar_one())
    engine.freeze(only, connection, release_id, now_ms)
    return engine.send(only, connection, release_id, Act(waiting.by, now_ms, waiting.note))


def _prompt(publisher: Publisher) -> list[Prompt]:
    return [source for source in publisher.sources if isinstance(source, Prompt)]
