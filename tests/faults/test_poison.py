"""Sales that make no sense: every field of a sale spoilt in every way, one after the other."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import ingest
from cloud.ledger.service import LedgerPoster
from cloud.posters import POSTERS
from shared.journal.event import DayClosed, SaleCompleted
from shared.kernel.canonical import canonical_bytes
from shared.wire.message import AckCode
from tests.fakes.box_stream import DAY, START_MS, BoxStream, a_sale
from tests.fakes.enrolment import enrol
from tests.faults.world import rows

GONE = object()
SPOILT: tuple[Any, ...] = (
    *(GONE, None, True, -1, 0, 10**12, 10**30, "", "x" * 5_000, "nul \0", "\ud7ff\uffff"),
    *([], [None], {}, {"a": {}}),
)
NOT_OF_THE_SALE = {"stream", "seq"}
"""Members that say where the entry stands: a box that lies there is stopped, not forgiven."""
BATCH = 200


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body."""
    if path:
        yield path
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in inside:
            yield from paths(each, (*path, name))


def spoilt(body: dict[str, Any], path: tuple[Any, ...], by: Any) -> dict[str, Any]:
    made = copy.deepcopy(body)
    place: Any = made
    for name in path[:-1]:
        place = place[name]
    if by is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = by
    return made


def poisons(event: Any) -> list[dict[str, Any]]:
    """The event's body with one thing wrong in each."""
    model = BoxStream("d-modelmodelmodelm", "model")
    model.append(event)
    body = orjson.loads(model.bodies[0])
    places = [path for path in paths(body) if path[0] not in NOT_OF_THE_SALE]
    return [spoilt(body, path, by) for path in places for by in SPOILT]


@pytest.mark.parametrize(
    ("event", "dev", "spoilt_at_least"),
    [
        (SaleCompleted(a_sale(3, lines=2)), "d-poisonpoisonpois", 300),
        (DayClosed(DAY, {"business_date": DAY, "sales": 1}), "d-closecloseclosec", 100),
    ],
    ids=["sale", "day"],
)
def test_no_nonsense_stops_a_stream_or_books_money_that_does_not_balance(
    database: Database, event: Any, dev: str, spoilt_at_least: int
) -> None:
    box = BoxStream(dev, dev[2:8])
    enrol(database, box)
    bodies = poisons(event)
    for seq, body in enumerate(bodies):
        said = body | {"stream": box.stream_id.hex(), "seq": seq}
        if said.get("id") == BoxStream("d-modelmodelmodelm", "model").id_at(0):
            said["id"] = box.id_at(seq)
        box.append_body(canonical_bytes(said))
    box.append(SaleCompleted(a_sale(5)))
    answers = []
    for first in range(0, len(box.bodies), BATCH):
        last = min(first + BATCH, len(box.bodies)) - 1
        arrival = read_arrival(box.dev, box.batch(first, last))
        verdict = ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
        answers.append((verdict.code, verdict.because))
    assert set(answers) == {(AckCode.OK, "")}
    flagged = rows(
        database, "SELECT flag FROM entry WHERE store_id = :s AND flag IS NOT NULL", s=box.store_id
    )
    assert len(flagged) >= spoilt_at_least
    sales = "SELECT count(*) FROM sale WHERE entry_id = CAST(:id AS uuid)"
    assert rows(database, sales, id=box.id_at(len(bodies))) == [(1,)]
    unbalanced = "SELECT entry_id FROM posting GROUP BY 1 HAVING sum(amount_minor) <> 0"
    assert rows(database, unbalanced) == []


class StumblingPoster(LedgerPoster):
    """Makes a mistake at every third sale."""

    def prepare(self, store_id: str, entries: Any) -> Any:
        if any(entry.seq % 3 == 0 for entry in entries):
            raise KeyError("a mistake")
        return super().prepare(store_id, entries)


def test_a_mistake_in_a_poster_flags_what_it_stumbles_over_and_books_the_rest(
    database: Database,
) -> None:
    box = BoxStream("d-mistakemistakemi", "mistake")
    enrol(database, box)
    box.append_sales(9)
    arrival = read_arrival(box.dev, box.batch(0, 8))
    verdict = ingest(
        database=database, arrival=arrival, posters=(StumblingPoster(),), now_ms=START_MS
    )
    assert (verdict.code, verdict.stored, verdict.flagged) == (AckCode.OK, 9, 3)
    flagged = "SELECT seq, flag FROM entry WHERE store_id = 'mistake' AND flag IS NOT NULL"
    assert sorted(rows(database, flagged)) == [(seq, "ingest.unpostable") for seq in (0, 3, 6)]
    assert rows(database, "SELECT count(*) FROM sale WHERE store_id = 'mistake'") == [(6,)]
