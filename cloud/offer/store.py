"""SQL of offers. Versions are only ever added; the highest one counts.

Reads `store`, `item`, `item_price` and `lineage` beside its own tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.db import like_literal, lock_for_transaction

OFFER_LOCK = 7_461_003
VERSIONS_MAX = 500
ACTIVE, ENDED = "active", "ended"

_COLUMNS = "offer_id, version, state, document, stores"
_NEWEST = (
    f"SELECT DISTINCT ON (offer_id) {_COLUMNS} FROM offer_version"  # noqa: S608 - constants
    " ORDER BY offer_id, version DESC"
)
_PUBLISHED = (
    f"SELECT DISTINCT ON (offer_id) {_COLUMNS}"  # noqa: S608 - constants
    " FROM offer_version JOIN offer_publication USING (offer_id, version)"
    " ORDER BY offer_id, version DESC"
)
_APPEND = text("""
    INSERT INTO offer_version (offer_id, version, state, document, stores,
                               created_by, created_at_ms, reason)
    VALUES (:offer_id, :version, :state, CAST(:document AS jsonb), :stores,
            :created_by, :created_at_ms, :reason)""")
# Written again when it is there already, so that a publication at the same time notices.
_DRAFT = text("""
    INSERT INTO offer_draft VALUES (:offer_id)
    ON CONFLICT (offer_id) DO UPDATE SET offer_id = excluded.offer_id""")
# A release takes the version that is the newest then: "<offer>@<version>".
_TAKE = text("""
    WITH gone AS (DELETE FROM offer_draft RETURNING offer_id)
    INSERT INTO release_draft (release_id, source, key)
    SELECT :release_id, 'offer', offer_id || '@' || max(version)
    FROM offer_version JOIN gone USING (offer_id) GROUP BY offer_id""")
_TAKEN = """
    SELECT regexp_replace(key, '@[0-9]+$', '') AS offer_id,
           CAST(substring(key FROM '[0-9]+$') AS integer) AS version
    FROM release_draft WHERE release_id = :release_id AND source = 'offer'"""
_GIVE_BACK = text(f"""
    INSERT INTO offer_draft SELECT offer_id FROM ({_TAKEN}) took
    ON CONFLICT DO NOTHING""")  # noqa: S608 - constants
_MARK = text(f"""
    INSERT INTO offer_publication (offer_id, version, rev)
    SELECT offer_id, version, :rev FROM ({_TAKEN}) took
    ON CONFLICT (offer_id, version) DO NOTHING""")  # noqa: S608 - constants
_MATCHING = f"""
    FROM ({_NEWEST}) newest JOIN offer_version version USING (offer_id, version)
    LEFT JOIN offer_draft draft USING (offer_id)
    WHERE (:text = '' OR offer_id ILIKE :pattern OR version.document::text ILIKE :pattern)
      AND (:store_id = '' OR version.stores IS NULL OR :store_id = ANY (version.stores))
      AND (:state = '' OR (:state = 'draft' AND draft.offer_id IS NOT NULL)
           OR version.state = :state)"""
_COUNT = text(f"SELECT count(*) {_MATCHING}")
_PAGE = text(f"""
    SELECT newest.*, version.created_by, version.created_at_ms, version.reason,
           draft.offer_id IS NOT NULL AS is_draft,
           (SELECT max(sent.version) FROM offer_publication sent
            WHERE sent.offer_id = newest.offer_id) AS published_version
    {_MATCHING}
    ORDER BY newest.state, newest.offer_id LIMIT :size OFFSET :skip""")  # noqa: S608 - constants
_HISTORY = text("""
    SELECT version, state, document, stores, created_by, created_at_ms, reason,
           rev AS published_rev
    FROM offer_version LEFT JOIN offer_publication USING (offer_id, version)
    WHERE offer_id = :offer_id ORDER BY version DESC LIMIT :most""")
# A store may have revisions without its offers: it joined while a release was on its way.
_NEW = """
    FROM store WHERE NOT EXISTS (
        SELECT FROM release_draft took LEFT JOIN release_flight flight USING (release_id)
        WHERE took.source = 'offer.store' AND took.key = store.store_id
          AND flight.state IS DISTINCT FROM 'dropped')"""
_NEW_STORES = text(f"SELECT store_id {_NEW}")
_WELCOME = text(f"""
    INSERT INTO release_draft (release_id, source, key)
    SELECT :release_id, 'offer.store', store_id {_NEW}""")
_GREET = text("""
    INSERT INTO release_draft (release_id, source, key) VALUES (-1, 'offer.store', :store_id)""")
# Where no price is in force yet, the first that will be: goods may be promoted as they arrive.
_PRICED_ITEMS = text("""
    SELECT item.gtin, price.regular_minor, item.cost_minor, item.category, item.department,
           item.brand, item.tags, item.is_weighed, item.is_promotable, item.min_price_minor,
           item.min_margin_bp, item.uom, item.tax_bp
    FROM item JOIN LATERAL (
        SELECT regular_minor FROM item_price
        WHERE gtin = item.gtin AND regular_minor IS NOT NULL
          AND (:store_id = '' OR scope IN ('', 'store-' || :store_id, 'zone:' || (
            SELECT zone_id FROM store WHERE store.store_id = :store_id)))
        ORDER BY scope LIKE 'store-%' DESC, scope <> '' DESC, scope, from_at_ms > :at_ms,
                 CASE WHEN from_at_ms > :at_ms THEN from_at_ms ELSE -from_at_ms END, id DESC
        LIMIT 1) price ON true
    ORDER BY item.gtin""")


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes offers, when and why."""

    name: str
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A store: its currency (ISO code), and its time zone (IANA name)."""

    store_id: str
    currency: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class OfferQuery:
    """What a buyer looks for; `state` is active, ended or draft. `page` counts from 1."""

    text: str = ""
    store_id: str = ""
    state: str = ""
    page: int = 1
    size: int = 50


@dataclass(frozen=True, slots=True)
class OfferVersion:
    """One version of an offer: its canonical document, and its stores (None: all of them)."""

    offer_id: str
    version: int
    state: str
    document: dict[str, Any]
    stores: tuple[str, ...] | None

    @property
    def is_active(self) -> bool:
        """Whether it is meant to be sold by."""
        return self.state == ACTIVE

    def is_in(self, store_id: str) -> bool:
        """Whether a store sells by it."""
        return self.is_active and (self.stores is None or store_id in self.stores)

    @property
    def body(self) -> dict[str, Any]:
        """The body of its record."""
        return self.document if self.version == 1 else {**self.document, "version": self.version}


def lock(connection: Connection) -> None:
    """Change offers one at a time: a version number is taken once."""
    lock_for_transaction(connection, OFFER_LOCK)


def newest(connection: Connection) -> Iterator[OfferVersion]:
    """The newest version of every offer, by id."""
    return _versions(connection, _NEWEST)


def published(connection: Connection) -> Iterator[OfferVersion]:
    """The version of every offer that was published last, by id."""
    return _versions(connection, _PUBLISHED)


def drafts(connection: Connection) -> Iterator[OfferVersion]:
    """The newest version of offers that changed since they were last published."""
    return _versions(
        connection,
        f"SELECT newest.* FROM ({_NEWEST}) newest"  # noqa: S608 - constants
        " JOIN offer_draft USING (offer_id) ORDER BY offer_id",
    )


def append(connection: Connection, versions: Iterable[OfferVersion], author: Author) -> None:
    """Add versions; they wait for the next publication."""
    rows = [
        {
            "offer_id": each.offer_id,
            "version": each.version,
            "state": each.state,
            "document": orjson.dumps(each.document).decode(),
            "stores": None if each.stores is None else list(each.stores),
            "created_by": author.name,
            "created_at_ms": author.at_ms,
            "reason": author.reason,
        }
        for each in versions
    ]
    if rows:
        connection.execute(_APPEND, rows)
        connection.execute(_DRAFT, [{"offer_id": row["offer_id"]} for row in rows])


def take_drafts(connection: Connection, release_id: int) -> None:
    """Let every draft belong to a release, as the version that it is now.

    It brings every offer to the stores that no other release does.
    """
    connection.execute(_TAKE, {"release_id": release_id})
    connection.execute(_WELCOME, {"release_id": release_id})


def give_drafts_back(connection: Connection, release_id: int) -> None:
    """Let the drafts of a release wait again."""
    connection.execute(_GIVE_BACK, {"release_id": release_id})


def mark_published(connection: Connection, release_id: int, rev: int) -> None:
    """Note that what a release took went out with a revision."""
    connection.execute(_MARK, {"release_id": release_id, "rev": rev})


def count(connection: Connection, query: OfferQuery) -> int:
    """How many offers match."""
    return int(connection.execute(_COUNT, _asked(query)).scalar_one())


def page(connection: Connection, query: OfferQuery) -> list[dict[str, Any]]:
    """Newest versions, who made them, and whether stores have them; active ones first."""
    parameters = {"size": query.size, "skip": (query.page - 1) * query.size, **_asked(query)}
    return [dict(row) for row in connection.execute(_PAGE, parameters).mappings()]


def history(connection: Connection, offer_id: str) -> list[dict[str, Any]]:
    """An offer's versions, the newest first."""
    parameters = {"offer_id": offer_id, "most": VERSIONS_MAX}
    return [dict(row) for row in connection.execute(_HISTORY, parameters).mappings()]


def places(connection: Connection) -> list[StorePlace]:
    """Every store, by id."""
    statement = text("SELECT store_id, currency, time_zone FROM store ORDER BY store_id")
    return [StorePlace(*row) for row in connection.execute(statement)]


def new_store_ids(connection: Connection) -> list[str]:
    """Stores to which no release has brought the offers that there were before them."""
    return [str(store_id) for (store_id,) in connection.execute(_NEW_STORES)]


def greet(connection: Connection, store_id: str) -> None:
    """Note that a store has the offers that there are; no release has the number -1."""
    connection.execute(_GREET, {"store_id": store_id})


def priced_items(connection: Connection, store_id: str, at_ms: int) -> Iterator[dict[str, Any]]:
    """Items with their price, in force or to come, in the asked or the first store with one."""
    statement = _PRICED_ITEMS.execution_options(yield_per=5000)
    parameters = {"store_id": store_id, "at_ms": at_ms}
    return (dict(row) for row in connection.execute(statement, parameters).mappings())


def _asked(query: OfferQuery) -> dict[str, Any]:
    pattern = f"%{like_literal(query.text)}%"
    parameters = {"text": query.text, "pattern": pattern}
    return {**parameters, "store_id": query.store_id, "state": query.state}


def _versions(connection: Connection, statement: str) -> Iterator[OfferVersion]:
    for row in connection.execute(text(statement)):
        yield _version(row)


def _version(row: Sequence[Any]) -> OfferVersion:
    offer_id, version, state, document, stores = row
    return OfferVersion(
        offer_id, version, state, document, None if stores is None else tuple(stores)
    )
