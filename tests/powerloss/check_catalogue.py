"""Whether a catalogue that the real code has recovered is one that head office published."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from edge.replica.pointers import Pointer
from edge.replica.schema import TABLES
from edge.replica.store import Replica
from shared.publication.revision import DIGEST_MODULUS, RecordKind, digest_hex
from tests.builders import OPENED_AT_MS
from tests.powerloss.campaign import Check, Facts, LostError
from tests.powerloss.work_catalogue import REPLICA, Published


def catalogue_check(every: Sequence[Published]) -> Check:
    """A check against these publications."""

    def check(folder: Path, promises: list[Facts]) -> None:
        replica = Replica(folder / REPLICA)
        replica.open()
        try:
            for name, pointer in (("stored", replica.stored()), ("active", replica.active())):
                least = max((facts[name] for facts in promises if name in facts), default=0)
                if pointer.rev < least:
                    raise LostError(f"{name} {pointer.rev}, was {least}", 1)
                _check_contents(folder / REPLICA, replica, pointer, every)
            wanted = max((facts["desired"] for facts in promises if "desired" in facts), default=0)
            if int(replica.desired() or b"0") < wanted:
                raise LostError(f"desired {wanted}", 1)
            for pointer in replica.staged():
                if pointer.rev not in {replica.stored().rev, replica.active().rev}:
                    _check_contents(folder / REPLICA, replica, pointer, every)
            newest = every[-1]
            pieces = newest.deltas_after(replica.stored_revision())
            replica.stage(newest.manifest, pieces, OPENED_AT_MS)
            replica.activate(newest.manifest.rev, OPENED_AT_MS)
            _check_contents(folder / REPLICA, replica, replica.active(), every)
            replica.release(())
        finally:
            replica.close()

    return check


def _check_contents(
    folder: Path, replica: Replica, pointer: Pointer, every: Sequence[Published]
) -> None:
    """All of a revision and nothing of another one."""
    if not pointer.rev:
        return
    published = every[pointer.rev - 1]
    with closing(sqlite3.connect(folder / pointer.file)) as connection:
        total = sum(
            int.from_bytes(row[0], "big")
            for table in TABLES.values()
            for row in connection.execute(
                f"SELECT hash FROM {table.name} WHERE rev_from<=? AND rev_to>?",  # noqa: S608
                (pointer.rev, pointer.rev),
            )
        )
    assert digest_hex(total % DIGEST_MODULUS) == published.manifest.digest
    for kind, key in every[3].records | every[-1].records:
        record = published.records.get((kind, key))
        if kind is RecordKind.ITEM:
            item = replica.find_item(key, pointer.rev)
            expected = record.body["name"] if record and record.body else None
            assert (item.name if item else None) == expected
        elif kind is RecordKind.PRICE:
            prices = replica.dated_prices(key, pointer.rev)
            expected = record.body["prices"][0][1] if record and record.body else None
            assert (prices[0].regular_minor if prices else None) == expected
