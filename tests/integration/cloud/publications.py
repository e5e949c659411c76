"""What was published, read as a box reads it."""

from __future__ import annotations

import io

import httpx
from sqlalchemy import text

from cloud.publication.serve import PieceCache, Shelf
from cloud.signing import is_signed_by
from shared.kernel.canonical import sha256
from shared.publication.manifest import (
    Manifest,
    Piece,
    parse_manifest,
    pieces_needed,
    signing_statement,
)
from shared.publication.revision import digest_add, digest_hex, parse_record, record_hash
from shared.wire.objects import iter_lines
from tests.lab.cloud_api import CloudApi

Key = tuple[str, str]
"""Kind and key of a record."""


def publish_all(client: httpx.Client) -> httpx.Response:
    """Publish every draft."""
    return client.post("/v1/publications", json={"note": "test"})


def head_of(api: CloudApi, store_id: str) -> Manifest:
    """The manifest of a store's last revision; its signature holds."""
    statement = text(
        "SELECT manifest_sha, sig FROM zone_revision WHERE zone = :zone ORDER BY rev DESC LIMIT 1"
    )
    with api.context.database.begin() as connection:
        row = connection.execute(statement, {"zone": f"store-{store_id}"}).one()
    key = bytes.fromhex(api.context.hq_key.public_hex)
    statement_bytes = signing_statement(bytes.fromhex(row.manifest_sha))
    assert is_signed_by(key, bytes.fromhex(row.sig), statement_bytes)
    return parse_manifest(read(api, row.manifest_sha))


def read(api: CloudApi, name: str) -> bytes:
    """An object; its name holds."""
    context = api.context
    shelf = Shelf(context.database, context.objects, PieceCache())
    small = shelf.small(name)
    data = b"".join(context.objects.chunks(name)) if small is None else small
    assert sha256(data).hex() == name
    return data


def apply(api: CloudApi, held: dict[Key, bytes], pieces: tuple[Piece, ...]) -> dict[Key, bytes]:
    """What a box does: a snapshot begins anew, each line replaces or removes one record."""
    held = {} if pieces and pieces[0].from_rev == 0 else dict(held)
    for piece in pieces:
        lines = list(iter_lines(io.BytesIO(read(api, piece.sha256))))
        assert len(lines) == piece.records
        for record in map(parse_record, lines):
            key = (str(record.kind), record.key)
            if record.body is None:
                del held[key]
            else:
                held[key] = record_hash(record)
    return held


def assert_same(manifest: Manifest, held: dict[Key, bytes]) -> None:
    """What is held is what the manifest promises."""
    digest = 0
    for found in held.values():
        digest = digest_add(digest, found)
    assert (digest_hex(digest), len(held)) == (manifest.digest, manifest.records)


def boxed(api: CloudApi, store_id: str) -> dict[Key, bytes]:
    """What a store's box holds after its last revision."""
    manifest = head_of(api, store_id)
    held = apply(api, {}, pieces_needed(manifest, 0, ""))
    assert_same(manifest, held)
    return held
