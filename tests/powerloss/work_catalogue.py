"""A catalogue that head office changes, as a box's replica sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.replica.store import Replica
from shared.publication.manifest import Manifest
from shared.publication.revision import Record, RecordKind
from tests.builders import OPENED_AT_MS
from tests.integration.edge.boxes import Publisher, gone, item_record, price_record
from tests.powerloss.workloads import promise

ITEMS = 60
REPLICA = "replica"
WAITS = 5
"""The revision that begins only after the next one is there."""


@dataclass(frozen=True, slots=True)
class Published:
    """One revision: how a box gets it, and all that it holds."""

    manifest: Manifest
    records: Mapping[tuple[str, str], Record]
    objects: Mapping[str, Path]

    def deltas_after(self, stored: int) -> Mapping[str, Path]:
        """The deltas that a box with revision `stored` needs; everything where they do not fit."""
        manifest = self.manifest
        if stored < manifest.snapshot.to_rev:
            return self.objects
        wanted = {piece.sha256 for piece in manifest.deltas if piece.from_rev >= stored}
        return {name: path for name, path in self.objects.items() if name in wanted}


def publications(folder: Path) -> list[Published]:
    """Six revisions, the same at each call; the first and the fifth are snapshots."""
    publisher = Publisher(folder)
    base = [item_record(number) for number in range(1, ITEMS + 1)]
    base += [price_record(number, number * 100) for number in range(1, ITEMS + 1)]
    steps = [
        base,
        [price_record(number, 7) for number in range(1, 30)] + [gone(RecordKind.ITEM, 4)],
        [item_record(4, "Back again"), item_record(77), price_record(77, 770)],
        [gone(RecordKind.PRICE, 5), *(item_record(n, f"Renamed {n}") for n in range(10, 40))],
        [price_record(number, 9) for number in range(20, 50)],
        [gone(RecordKind.ITEM, 77), gone(RecordKind.PRICE, 77), price_record(1, 1)],
    ]
    found = []
    for number, records in enumerate(steps, start=1):
        manifest = publisher.publish(records, snapshot=number == 5)
        found.append(Published(manifest, dict(publisher.live), dict(publisher.objects)))
    return found


def take_revisions(folder: Path, setting: str) -> None:
    """Want, stage and activate all of them; the third only together with the fourth.

    The last one is staged while the one before it waits, and is let begin after it.
    """
    del setting
    replica = Replica(folder / REPLICA)
    replica.open()
    every = publications(folder.parent / "objects")
    for published in (every[0], every[1], *every[3:]):
        manifest = published.manifest
        replica.put_desired(str(manifest.rev).encode())
        promise(desired=manifest.rev)
        replica.stage(manifest, published.deltas_after(replica.stored_revision()), OPENED_AT_MS)
        promise(stored=manifest.rev)
        if manifest.rev != WAITS:
            begin(replica, WAITS if manifest.rev == every[-1].manifest.rev else 0)
            begin(replica, manifest.rev)
    replica.release(())


def begin(replica: Replica, rev: int) -> None:
    """The instant of a revision has come."""
    if rev:
        replica.activate(rev, OPENED_AT_MS)
        promise(active=rev)
        stored = replica.stored()
        replica.release((), {stored.key})


WORKS: dict[str, Callable[[Path, str], None]] = {"take_revisions": take_revisions}
