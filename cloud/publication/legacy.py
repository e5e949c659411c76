"""Lines of records that were published before the database kept them, learnt once.

They stand in the objects of each store's last manifest; a record's hash says which line is its.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from sqlalchemy import Connection, text

from cloud.db import copy_rows
from cloud.publication.compile import Sum, sum_of
from cloud.publication.mover import Publisher
from shared.kernel.canonical import sha256
from shared.publication.manifest import Manifest, parse_manifest, pieces_needed
from shared.publication.revision import digest_hex
from shared.wire.objects import iter_lines

_IS_MISSING = text("SELECT EXISTS (SELECT FROM record WHERE line IS NULL)")
_HEADS = text("""
    SELECT made.manifest FROM lineage JOIN zone_revision made
      ON made.zone = 'store-' || store_id AND made.rev = lineage.rev""")
_STAGE = text("""
    CREATE TEMP TABLE learnt_line (sha256 bytea PRIMARY KEY, line bytea NOT NULL) ON COMMIT DROP""")
_LEARN = text("""
    UPDATE record SET line = learnt.line FROM learnt_line learnt
    WHERE record.line IS NULL AND record.sha256 = learnt.sha256""")
_HASHES = text("SELECT scope, sha256 FROM record ORDER BY scope")
_PUT_SUM = text("""
    INSERT INTO scope_sum (scope, digest, records) VALUES (:scope, :digest, :records)
    ON CONFLICT (scope) DO UPDATE SET digest = excluded.digest, records = excluded.records""")


def learn_lines(publisher: Publisher, connection: Connection) -> None:
    """Fill in the lines and sums of a database that was used by an older version."""
    if not connection.execute(_IS_MISSING).scalar_one():
        return
    heads = [parse_manifest(bytes(data)) for (data,) in connection.execute(_HEADS)]
    connection.execute(_STAGE)
    seen: set[bytes] = set()
    rows = (row for head in heads for row in _new_lines(publisher, head, seen))
    copy_rows(connection, "learnt_line", ("sha256", "line"), rows)
    connection.execute(_LEARN)
    sums: dict[str, Sum] = {}
    for scope, found in connection.execute(_HASHES.execution_options(yield_per=10_000)):
        sums[scope] = sums.get(scope, Sum()) + sum_of([(None, bytes(found))])
    for scope, total in sums.items():
        values = {"scope": scope, "digest": digest_hex(total.digest), "records": total.records}
        connection.execute(_PUT_SUM, values)


def _new_lines(
    publisher: Publisher, head: Manifest, seen: set[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    for piece in pieces_needed(head, 0, ""):
        data = b"".join(publisher.objects.chunks(piece.sha256))
        for line in iter_lines(io.BytesIO(data)):
            name = sha256(line)
            if name not in seen:
                seen.add(name)
                yield name, line
