"""SQL of releases: what they change, which stores have them, what the base is.

Reads the rooms' drafts only through their sources.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, text

from cloud.db import copy_rows, driver
from cloud.publication.compile import Change, Key, Part, Sum, part_of, sum_of
from shared.publication.revision import digest_hex

COPIED_AT_ONCE = 20_000
FROZEN, FLYING, SETTLED, DROPPED = "frozen", "flying", "settled", "dropped"

StagedLine = tuple[str, str, str, bytes | None, bytes]
"""Scope, kind, key, new hash (None for a removal) and line of a record."""

_STAGE = text("""
    CREATE TEMP TABLE IF NOT EXISTS staged_line (
        scope text NOT NULL, kind text NOT NULL, key text NOT NULL,
        sha256 bytea, line bytea NOT NULL) ON COMMIT DROP""")
# A large chain's first release sorts hundreds of megabytes once, and writes them all the same.
_SORT_IN_MEMORY = text("SET LOCAL work_mem = '128MB'")
# What is set back to the base while a release that changes it is open says something new, too.
_FREEZE = text("""
    INSERT INTO release_change
        (release_id, scope, kind, key, old_sha, old_line, new_sha, new_line)
    SELECT DISTINCT ON (scope, kind, key) :release_id, scope, kind, key,
           base.sha256, base.line, staged.sha256, staged.line
    FROM staged_line staged LEFT JOIN record base USING (scope, kind, key)
    WHERE base.sha256 IS DISTINCT FROM staged.sha256 OR EXISTS (
        SELECT FROM release_change other JOIN release_flight flight USING (release_id)
        WHERE other.scope = staged.scope AND other.kind = staged.kind AND other.key = staged.key
          AND flight.state IN ('frozen', 'flying'))
    ORDER BY scope, kind, key""")
_ADD_FLIGHT = text("""
    INSERT INTO release_flight (release_id, state, at_ms, undoes)
    VALUES (:release_id, :state, :at_ms, :undoes)
    ON CONFLICT (release_id) DO NOTHING""")
_SET_FLIGHT = text("UPDATE release_flight SET state = :state WHERE release_id = :release_id")
_STATE = text("SELECT state FROM release_flight WHERE release_id = :release_id FOR UPDATE")
_BY_KIND = text("""
    SELECT kind, count(*) FROM release_change WHERE release_id = :release_id
    GROUP BY kind ORDER BY kind""")
_SCOPES = text("""
    SELECT DISTINCT scope FROM release_change WHERE release_id = :release_id ORDER BY scope""")
# A store is reached by its scopes, by being new, and by having moved to another price zone.
_REACHED = text("""
    WITH touched AS (SELECT DISTINCT scope FROM release_change WHERE release_id = :release_id)
    SELECT store.store_id FROM store LEFT JOIN lineage USING (store_id)
    WHERE lineage.store_id IS NULL
       OR EXISTS (SELECT FROM touched WHERE scope = '')
       OR EXISTS (SELECT FROM touched WHERE scope = 'store-' || store.store_id)
       OR EXISTS (SELECT FROM touched WHERE scope = 'zone:' || store.zone_id)
       OR EXISTS (SELECT FROM touched WHERE scope = ANY (lineage.scopes))
       OR lineage.scopes <> array_remove(
            ARRAY['', 'zone:' || store.zone_id, 'store-' || store.store_id], NULL)
    ORDER BY length(store.store_id), store.store_id""")
_CHANGED = text("""
    SELECT store_id FROM lineage WHERE EXISTS (
        SELECT FROM release_change
        WHERE release_id = :release_id AND scope = ANY (lineage.scopes))
    ORDER BY length(store_id), store_id""")
_CONFLICTS = text("""
    SELECT other.release_id, count(*),
           (array_agg(ARRAY[scope, kind, key] ORDER BY scope, kind, key))[1:5]
    FROM release_change mine JOIN release_change other USING (scope, kind, key)
    JOIN release_flight flight ON flight.release_id = other.release_id
    WHERE mine.release_id = :release_id AND other.release_id <> :release_id
      AND flight.state = 'flying'
    GROUP BY other.release_id ORDER BY other.release_id""")
# What was base when it was frozen may have been replaced while it waited: by a newer release,
# which counts, or by an older one, which does not. What takes a release back leaves either.
_REBASE = (
    text("""
    DELETE FROM release_change mine USING release_change other, release_flight flight
    WHERE mine.release_id = :release_id AND other.release_id > :release_id
      AND other.scope = mine.scope AND other.kind = mine.kind AND other.key = mine.key
      AND flight.release_id = other.release_id AND flight.state = 'settled'
      AND flight.undoes IS NULL"""),
    text("""
    DELETE FROM release_change mine USING release_flight flight
    WHERE mine.release_id = :release_id AND flight.release_id = :release_id
      AND flight.undoes IS NOT NULL AND mine.old_sha IS DISTINCT FROM (
        SELECT sha256 FROM record base WHERE base.scope = mine.scope
          AND base.kind = mine.kind AND base.key = mine.key)"""),
    text("""
    UPDATE release_change mine SET old_sha = base.sha256, old_line = base.line
    FROM record base
    WHERE mine.release_id = :release_id AND base.scope = mine.scope AND base.kind = mine.kind
      AND base.key = mine.key AND mine.old_sha IS DISTINCT FROM base.sha256"""),
    text("""
    UPDATE release_change mine SET old_sha = NULL, old_line = NULL
    WHERE release_id = :release_id AND old_sha IS NOT NULL AND NOT EXISTS (
        SELECT FROM record base WHERE base.scope = mine.scope AND base.kind = mine.kind
        AND base.key = mine.key)"""),
    text("""
    DELETE FROM release_change mine
    WHERE release_id = :release_id AND new_sha IS NOT DISTINCT FROM old_sha AND NOT EXISTS (
        SELECT FROM release_change other JOIN release_flight flight USING (release_id)
        WHERE other.scope = mine.scope AND other.kind = mine.kind AND other.key = mine.key
          AND other.release_id < :release_id AND flight.state = 'frozen')"""),
)
_HAVING = text("""
    SELECT store_id, rev, at_ms, state = 'held' FROM release_store
    WHERE release_id = :release_id AND state IN ('held', 'active') ORDER BY store_id""")
# These read hundreds of thousands of rows: by the driver, a row costs much less that way.
_CHANGES = """
    SELECT release_id, scope, kind, key, old_sha, old_line, new_sha, new_line
    FROM release_change
    WHERE release_id = ANY (%(releases)s) AND scope = ANY (%(scopes)s)
      AND new_sha IS DISTINCT FROM old_sha
    ORDER BY release_id, scope, kind, key"""
_SUMS = """
    SELECT release_id, scope, old_sha, new_sha FROM release_change
    WHERE release_id = ANY (%(releases)s) AND scope = ANY (%(scopes)s)
      AND new_sha IS DISTINCT FROM old_sha"""
_TOUCHED = text("""
    SELECT DISTINCT release_id, scope FROM release_change WHERE release_id = ANY (:releases)""")
_SCOPE_SUMS = text("""
    SELECT scope, digest, records FROM scope_sum WHERE scope = ANY (:scopes)""")
_HASHES = """
    SELECT scope, old_sha, new_sha FROM release_change
    WHERE release_id = %(release_id)s ORDER BY scope"""
_SETTLE = (
    text("""
    INSERT INTO record (scope, kind, key, sha256, line)
    SELECT scope, kind, key, new_sha, new_line FROM release_change
    WHERE release_id = :release_id AND new_sha IS NOT NULL
    ON CONFLICT (scope, kind, key) DO UPDATE SET sha256 = excluded.sha256, line = excluded.line"""),
    text("""
    DELETE FROM record USING release_change gone
    WHERE gone.release_id = :release_id AND gone.new_sha IS NULL AND record.scope = gone.scope
      AND record.kind = gone.kind AND record.key = gone.key"""),
)
_PUT_SUM = text("""
    INSERT INTO scope_sum (scope, digest, records) VALUES (:scope, :digest, :records)
    ON CONFLICT (scope) DO UPDATE SET digest = excluded.digest, records = excluded.records""")
_UNDONE = text("""
    SELECT scope, kind, key, old_sha, old_line
    FROM release_change undone LEFT JOIN record base USING (scope, kind, key)
    WHERE release_id = :release_id AND base.sha256 IS NOT DISTINCT FROM undone.new_sha
    ORDER BY scope, kind, key""")
_LAST_REV = text("SELECT max(rev) FROM publication WHERE release_id = :release_id")
# Of releases that every store has had for so long nobody asks any more.
_FORGET = text("""
    DELETE FROM release_store had USING release_flight flight
    WHERE flight.release_id = had.release_id AND flight.state IN ('settled', 'dropped')
      AND flight.at_ms < :before_ms AND NOT EXISTS (
        SELECT FROM publication made
        WHERE made.release_id = flight.release_id AND made.at_ms >= :before_ms)""")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A release in flight that changes the same records: how many, and a few of them."""

    release_id: int
    changes: int
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Having:
    """A store that has a release: the revision that brought it, and its instant (0: at once)."""

    rev: int
    at_ms: int
    is_held: bool


def add_flight(
    connection: Connection, release_id: int, at_ms: int, undoes: int | None = None
) -> None:
    """Note that a release is frozen; `undoes` is the finished one that it takes back."""
    values = {"release_id": release_id, "state": FROZEN, "at_ms": at_ms, "undoes": undoes}
    connection.execute(_ADD_FLIGHT, values)


def set_state(connection: Connection, release_id: int, state: str) -> None:
    """Note what became of a release."""
    connection.execute(_SET_FLIGHT, {"release_id": release_id, "state": state})


def state_of(connection: Connection, release_id: int) -> str | None:
    """`frozen`, `flying`, `settled`, `dropped`; None before it was frozen."""
    state: str | None = connection.execute(_STATE, {"release_id": release_id}).scalar_one_or_none()
    return state


def freeze_lines(connection: Connection, release_id: int, lines: Iterable[StagedLine]) -> None:
    """Keep those that differ from the base as the release's changes."""
    connection.execute(_STAGE)
    connection.execute(text("TRUNCATE staged_line"))
    rest = iter(lines)
    while some := list(islice(rest, COPIED_AT_ONCE)):  # they may come from the same connection
        copy_rows(connection, "staged_line", ("scope", "kind", "key", "sha256", "line"), some)
    connection.execute(_SORT_IN_MEMORY)
    connection.execute(_FREEZE, {"release_id": release_id})


def by_kind(connection: Connection, release_id: int) -> dict[str, int]:
    """How many records of each kind a release changes."""
    found = connection.execute(_BY_KIND, {"release_id": release_id})
    return {str(kind): int(count) for kind, count in found}


def scopes_of(connection: Connection, release_id: int) -> tuple[str, ...]:
    """The scopes in which a release changes something."""
    found = connection.execute(_SCOPES, {"release_id": release_id})
    return tuple(str(scope) for (scope,) in found)


def reached(connection: Connection, release_id: int) -> list[str]:
    """The stores for which a release changes something, new ones included."""
    found = connection.execute(_REACHED, {"release_id": release_id})
    return [str(store_id) for (store_id,) in found]


def changed(connection: Connection, release_id: int) -> list[str]:
    """The stores with tills that sell by something of which a release changes a record."""
    found = connection.execute(_CHANGED, {"release_id": release_id})
    return [str(store_id) for (store_id,) in found]


def conflicts(connection: Connection, release_id: int) -> tuple[Conflict, ...]:
    """Releases in flight that change the same records."""
    found = connection.execute(_CONFLICTS, {"release_id": release_id})
    return tuple(
        Conflict(int(other), int(count), tuple(_key(key) for key in keys))
        for other, count, keys in found
    )


def rebase(connection: Connection, release_id: int) -> None:
    """Let a release that no store has yet begin from the base of now."""
    for statement in _REBASE:
        connection.execute(statement, {"release_id": release_id})


def having(connection: Connection, release_id: int) -> dict[str, Having]:
    """The stores that have a release, or hold it for its instant."""
    found = connection.execute(_HAVING, {"release_id": release_id})
    return {str(store_id): Having(*row) for store_id, *row in found}


def touched(connection: Connection, releases: Iterable[int]) -> set[tuple[int, str]]:
    """Release and scope of everything that these releases change."""
    found = connection.execute(_TOUCHED, {"releases": list(releases)})
    return {(int(release_id), str(scope)) for release_id, scope in found}


def parts(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Part]:
    """What releases change in scopes."""
    values = _asked(wanted)
    if not values["scopes"]:
        return {}
    gathered: dict[tuple[int, str], list[Change]] = {}
    for release_id, scope, kind, key, old, old_line, new, line in _rows(
        connection, _CHANGES, values
    ):
        change = Change((scope, kind, key), old, old_line, new, line)
        gathered.setdefault((release_id, scope), []).append(change)
    return {each: part_of(changes) for each, changes in gathered.items()}


def sums(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Sum]:
    """By how much releases move the digests of scopes: the same without reading the lines."""
    values = _asked(wanted)
    if not values["scopes"]:
        return {}
    moved: dict[tuple[int, str], list[tuple[bytes | None, bytes | None]]] = {}
    for release_id, scope, old, new in _rows(connection, _SUMS, values):
        moved.setdefault((release_id, scope), []).append((old, new))
    return {each: sum_of(hashes) for each, hashes in moved.items()}


def scope_sums(connection: Connection, scopes: Iterable[str]) -> dict[str, Sum]:
    """Digest and number of what the base has in scopes; those without records are left out."""
    found = connection.execute(_SCOPE_SUMS, {"scopes": list(scopes)})
    return {str(scope): Sum(int(digest, 16), int(records)) for scope, digest, records in found}


def settle(connection: Connection, release_id: int) -> None:
    """Make a release's changes the base."""
    moved: dict[str, list[tuple[bytes | None, bytes | None]]] = {}
    for scope, old, new in _rows(connection, _HASHES, {"release_id": release_id}):
        moved.setdefault(scope, []).append((old, new))
    _put_sums(connection, moved)
    for statement in _SETTLE:
        connection.execute(statement, {"release_id": release_id})
    set_state(connection, release_id, SETTLED)


def lay(connection: Connection, lines: Collection[StagedLine]) -> None:
    """Make lines the base of scopes in which these records are new."""
    moved: dict[str, list[tuple[bytes | None, bytes | None]]] = {}
    for scope, _, _, new, _ in lines:
        moved.setdefault(scope, []).append((None, new))
    _put_sums(connection, moved)
    columns = ("scope", "kind", "key", "sha256", "line")
    copy_rows(connection, "record", columns, lines)


def undone(connection: Connection, release_id: int) -> Iterator[Mapping[Any, Any]]:
    """What the records of a release were before it, where they still are as it left them."""
    yield from connection.execute(_UNDONE, {"release_id": release_id}).mappings()


def last_rev(connection: Connection, release_id: int) -> int:
    """The newest revision that was made for a release; 0 before the first."""
    found = connection.execute(_LAST_REV, {"release_id": release_id}).scalar_one()
    return int(found or 0)


def forget(connection: Connection, before_ms: int) -> None:
    """Drop which store had which of the releases that were over before an instant.

    A release that was frozen long before it went out is as old as its last revision.
    """
    connection.execute(_FORGET, {"before_ms": before_ms})


def _asked(wanted: Iterable[tuple[int, str]]) -> dict[str, list[Any]]:
    asked = list(wanted)
    return {
        "releases": sorted({release_id for release_id, _ in asked}),
        "scopes": sorted({scope for _, scope in asked}),
    }


def _rows(
    connection: Connection, query: str, values: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """The rows of an answer, many made at once: one by one each would cost five times as much."""
    found = driver(connection).execute(query, values)
    while some := found.fetchmany(COPIED_AT_ONCE):
        yield from some


def _put_sums(
    connection: Connection, moved: Mapping[str, list[tuple[bytes | None, bytes | None]]]
) -> None:
    before = scope_sums(connection, moved)
    rows = [
        {"scope": scope, "digest": digest_hex(total.digest), "records": total.records}
        for scope, hashes in moved.items()
        for total in [before.get(scope, Sum()) + sum_of(hashes)]
    ]
    if rows:
        connection.execute(_PUT_SUM, rows)


def _key(parts_of_key: Sequence[str]) -> Key:
    scope, kind, key = parts_of_key
    return scope, kind, key
