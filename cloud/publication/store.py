"""SQL of publications. Reads `store`, `device` and the masters' drafts beside its own tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, text

from cloud.db import copy_rows
from cloud.desired import lock_changes
from cloud.publication.compile import Change, Key, ZoneHead
from cloud.records import zone_of
from shared.publication.manifest import Manifest, parse_manifest

PUBLICATIONS_MAX = 200

_STAGE = text("""
    CREATE TEMP TABLE draft_key (
        scope text NOT NULL, kind text NOT NULL, key text NOT NULL) ON COMMIT DROP""")
_KNOWN = text("""
    SELECT scope, kind, key, sha256 FROM record JOIN draft_key USING (scope, kind, key)""")
_STAGE_HASHES = text("""
    CREATE TEMP TABLE draft_hash (
        scope text NOT NULL, kind text NOT NULL, key text NOT NULL, sha256 bytea) ON COMMIT DROP""")
_PUT_HASHES = text("""
    INSERT INTO record (scope, kind, key, sha256)
    SELECT scope, kind, key, sha256 FROM draft_hash WHERE sha256 IS NOT NULL
    ON CONFLICT (scope, kind, key) DO UPDATE SET sha256 = excluded.sha256""")
_DROP_HASHES = text("""
    DELETE FROM record USING draft_hash gone
    WHERE gone.sha256 IS NULL AND record.scope = gone.scope
      AND record.kind = gone.kind AND record.key = gone.key""")
_HEADS = text("""
    SELECT DISTINCT ON (zone) zone, manifest FROM zone_revision ORDER BY zone, rev DESC""")
_ADD_ZONE_REVISION = text("""
    INSERT INTO zone_revision (zone, rev, manifest_sha, sig, digest, records, manifest)
    VALUES (:zone, :rev, :manifest_sha, :sig, :digest, :records, :manifest)""")
_DESIRE = text("""
    INSERT INTO desired (dev, gen, inc, catalog)
    SELECT dev, 1, :inc, CAST(:catalog AS jsonb) FROM device
    WHERE store_id = :store_id AND status = 'active' AND (:dev = '' OR dev = :dev)
    ON CONFLICT (dev) DO UPDATE SET
        gen = desired.gen + 1, inc = excluded.inc, catalog = excluded.catalog,
        changed_no = nextval('desired_changed_no')""")
_ZONE_HEAD = text("""
    SELECT manifest_sha, sig, manifest FROM zone_revision
    WHERE zone = :zone ORDER BY rev DESC LIMIT 1""")
_COUNTS = text("""
    SELECT (SELECT count(*) FROM item_draft) AS items,
           (SELECT count(*) FROM price_draft) AS prices,
           (SELECT count(*) FROM offer_draft) AS offers,
           (SELECT count(*) FROM staff_draft) AS staff""")
# An offer that changed concerns the stores of its new version and of the one that they have.
_DRAFT_STORES = text("""
    WITH touched AS (
        SELECT stores FROM offer_version made JOIN offer_draft USING (offer_id)
        WHERE version >= (
            SELECT coalesce(max(version), 0) FROM offer_publication sent
            WHERE sent.offer_id = made.offer_id))
    SELECT DISTINCT store_id FROM price_draft
    UNION SELECT unnest(stores) FROM touched
    UNION SELECT unnest(store_ids) FROM staff JOIN staff_draft USING (operator_id)
    UNION SELECT store_id FROM store
        WHERE EXISTS (SELECT FROM item_draft)
           OR EXISTS (SELECT FROM touched WHERE stores IS NULL)
           OR NOT EXISTS (SELECT FROM zone_revision WHERE zone = 'store-' || store.store_id)
    ORDER BY 1""")


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication: who made it, when, and why."""

    rev: int
    at_ms: int
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest as published: exact bytes, their SHA-256 and the signature (both hex)."""

    manifest: Manifest
    sha256: str
    sig: str
    data: bytes


def next_rev(connection: Connection) -> int:
    """The number of the next publication."""
    found = connection.execute(text("SELECT coalesce(max(rev), 0) + 1 FROM publication"))
    return int(found.scalar_one())


def add_publication(connection: Connection, publication: Publication) -> None:
    """Write down a publication."""
    connection.execute(
        text("INSERT INTO publication (rev, at_ms, by, note) VALUES (:rev, :at_ms, :by, :note)"),
        {
            "rev": publication.rev,
            "at_ms": publication.at_ms,
            "by": publication.by,
            "note": publication.note,
        },
    )


def publications(connection: Connection) -> list[Publication]:
    """The newest publications."""
    statement = text("SELECT rev, at_ms, by, note FROM publication ORDER BY rev DESC LIMIT :most")
    return [Publication(*row) for row in connection.execute(statement, {"most": PUBLICATIONS_MAX})]


def zones(connection: Connection) -> dict[str, str]:
    """The store of each zone."""
    found = connection.execute(text("SELECT store_id FROM store ORDER BY store_id"))
    return {zone_of(store_id): str(store_id) for (store_id,) in found}


def heads(connection: Connection) -> dict[str, ZoneHead]:
    """Each zone's last revision."""
    return {
        zone: ZoneHead(zone, parse_manifest(bytes(manifest)))
        for zone, manifest in connection.execute(_HEADS)
    }


def known_hashes(connection: Connection, keys: Iterable[Key]) -> dict[Key, bytes]:
    """The published hash of each of these records that is published."""
    connection.execute(_STAGE)
    copy_rows(connection, "draft_key", ("scope", "kind", "key"), keys)
    return {
        (scope, kind, key): bytes(found) for scope, kind, key, found in connection.execute(_KNOWN)
    }


def put_hashes(connection: Connection, changes: Iterable[Change]) -> None:
    """Take over the hashes of changed records."""
    connection.execute(_STAGE_HASHES)
    rows = ((*change.key, change.new) for change in changes)
    copy_rows(connection, "draft_hash", ("scope", "kind", "key", "sha256"), rows)
    connection.execute(_PUT_HASHES)
    connection.execute(_DROP_HASHES)


def hashes_of(connection: Connection, scope: str) -> Iterator[bytes]:
    """The hash of every record of a scope."""
    statement = text("SELECT sha256 FROM record WHERE scope = :scope")
    options = statement.execution_options(yield_per=10_000)
    for (found,) in connection.execute(options, {"scope": scope}):
        yield bytes(found)


def add_zone_revision(connection: Connection, signed: SignedManifest) -> None:
    """Write down a zone's new revision."""
    connection.execute(
        _ADD_ZONE_REVISION,
        {
            "zone": signed.manifest.zone,
            "rev": signed.manifest.rev,
            "manifest_sha": signed.sha256,
            "sig": signed.sig,
            "digest": signed.manifest.digest,
            "records": signed.manifest.records,
            "manifest": signed.data,
        },
    )


def desire(
    connection: Connection, *, store_id: str, signed: SignedManifest, inc: str, dev: str = ""
) -> None:
    """Let a store's active boxes (or one of them) want a revision."""
    catalog = {
        "zone": signed.manifest.zone,
        "rev": signed.manifest.rev,
        "sha256": signed.sha256,
        "sig": signed.sig,
    }
    lock_changes(connection)
    connection.execute(
        _DESIRE,
        {
            "inc": inc,
            "catalog": orjson.dumps(catalog).decode(),
            "store_id": store_id,
            "dev": dev,
        },
    )


def zone_head(connection: Connection, zone: str) -> SignedManifest | None:
    """A zone's last revision as it was signed."""
    row = connection.execute(_ZONE_HEAD, {"zone": zone}).one_or_none()
    if row is None:
        return None
    manifest_sha, sig, data = row
    return SignedManifest(parse_manifest(bytes(data)), manifest_sha, sig, bytes(data))


def draft_counts(connection: Connection) -> dict[str, int]:
    """How many items, prices, offers and operators wait for a publication."""
    return {
        str(name): int(found)
        for name, found in connection.execute(_COUNTS).mappings().one().items()
    }


def draft_stores(connection: Connection) -> list[str]:
    """The stores that a publication would reach."""
    return [str(store_id) for (store_id,) in connection.execute(_DRAFT_STORES)]
