"""Limits per member at a lane, offline: counted from the box's own journal."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.journal.migrations import MIGRATIONS
from edge.journal.store import EntryDraft
from edge.sale.commands import Undo, VoidBasket
from edge.sale.offers import offer_reasons
from edge.sale.recorded import recorded_sale
from edge.sale.view import Surroundings, present
from edge.sqlite import connect_writer, migrate
from shared.item.barcode import member_card_code
from shared.journal.event import SaleCompleted
from shared.kernel.errors import RefusedError
from shared.price.condition import ALL, ForMember, OrderNo, Selector
from shared.price.offer import Level, Limits, Offer
from shared.price.reward import AmountOff, PriceEach
from shared.publication.revision import Record, RecordKind
from shared.sale.member_history import MemberHistory
from tests.builders import a_gtin
from tests.integration.edge.boxes import DAY, MANAGER, a_journal, offer_record
from tests.integration.edge.lanes import Lane, a_lane

ANY = {"en": "Once", "zh-CN": "一次", "zh-TW": "一次"}
ONCE = Offer(
    "once",
    Level.BASKET,
    AmountOff(300),
    ALL,
    when=(ForMember(),),
    limits=Limits(per_member=1),
    names=ANY,
)
TWO = Offer(
    "two",
    Level.PRICE,
    PriceEach(100),
    Selector(skus=frozenset({a_gtin(5)})),
    when=(ForMember(),),
    limits=Limits(per_member_units=2),
    names=ANY,
)
SECOND = Offer("second", Level.BASKET, AmountOff(50), ALL, when=(OrderNo(2),), names=ANY)
ONE, OTHER = "2479", "2480"
TAIL_CHECKED = 200


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    with a_lane(tmp_path) as made:
        yield made


def shown(lane: Lane) -> dict[str, Any]:
    layout = lane.shop.layout
    around = Surroundings("343", "Main Street", layout.currency, DAY, 2, (), layout.language)
    basket: dict[str, Any] = present(lane.state, around, lane.shop.sources)["basket"]
    return basket


def due(lane: Lane) -> int:
    minor: int = shown(lane)["due_minor"]
    return minor


def fill(lane: Lane, member: str | None, *items: int) -> int:
    """Begin the next basket; what it costs."""
    if member is not None:
        lane.scan(member_card_code(member))
    lane.scan(*(a_gtin(number) for number in items))
    return due(lane)


def buy(lane: Lane, member: str | None, *items: int) -> int:
    """Sell a basket; what it cost."""
    cost = fill(lane, member, *items)
    lane.pay(cost)
    assert lane.state.basket is None
    return cost


def why(lane: Lane, offer: str) -> tuple[str, str | int]:
    """Why an offer does not act, and the limit that the text names."""
    found = offer_reasons(lane.basket(), lane.shop.sources, lane.shop.layout.language)
    reason = next(each for each in found.idle if each.offer_id == offer)
    return reason.code, reason.params["limit"]


def test_an_offer_for_one_use_acts_once_for_each_member(lane: Lane) -> None:
    lane.publish(offer_record(ONCE))
    assert buy(lane, ONE, 10) == 690  # 10.00, members 9.90, less 3.00
    assert fill(lane, ONE, 10) == 990
    assert why(lane, "once") == ("member_uses", 1)
    lane.pay(990)
    assert buy(lane, OTHER, 10) == 690
    assert buy(lane, None, 10) == 1000


def test_a_member_gets_only_the_units_that_are_left(lane: Lane) -> None:
    lane.publish(offer_record(TWO))
    assert buy(lane, ONE, 5) == 100  # 5.00, members 4.90, two of them for 1.00
    assert buy(lane, ONE, 5, 5, 5) == 100 + 2 * 490
    assert fill(lane, ONE, 5) == 490
    assert why(lane, "two") == ("member_units", 2)
    lane.do(VoidBasket("left", MANAGER))
    assert buy(lane, OTHER, 5, 5, 5) == 2 * 100 + 490


def test_an_offer_for_the_second_order_knows_the_first(lane: Lane) -> None:
    lane.publish(offer_record(SECOND))
    assert [buy(lane, ONE, 10) for _ in range(3)] == [990, 940, 990]
    assert buy(lane, None, 10) == 1000


def test_the_sales_of_every_lane_count_and_what_was_sold_before_the_offer_came(
    lane: Lane,
) -> None:
    buy(lane, ONE, 10)
    lane.publish(offer_record(ONCE), offer_record(SECOND))
    assert buy(lane, ONE, 10) == 640
    lane.state = replace(lane.state, lane=2)
    assert buy(lane, ONE, 10) == 990


def test_a_basket_that_was_not_sold_counts_nothing(lane: Lane) -> None:
    lane.publish(offer_record(ONCE), offer_record(TWO))
    fill(lane, ONE, 10, 5)
    lane.do(VoidBasket("left", MANAGER))
    fill(lane, ONE, 10, 5)
    lane.pay(100)
    assert lane.journal.member_history(ONE) == MemberHistory()
    lane.do(VoidBasket("left", MANAGER))
    assert lane.journal.member_history(ONE) == MemberHistory()
    assert buy(lane, ONE, 10, 5) == 790


def test_a_sale_that_comes_again_counts_once(lane: Lane) -> None:
    lane.publish(offer_record(ONCE), offer_record(TWO))
    buy(lane, ONE, 10, 5, 5)
    history = MemberHistory(1, {"two": 1, "once": 1}, {"two": 2, "once": 3})
    assert lane.journal.member_history(ONE) == history
    entry = lane.journal.sale_by_receipt("1-000001")
    sale, at_ms = recorded_sale(entry)
    draft = EntryDraft(entry.id, SaleCompleted(sale), MANAGER, "1", DAY, at_ms, 2)
    assert lane.journal.append(draft) == entry
    assert lane.journal.member_history(ONE) == history
    assert lane.journal.member_history(OTHER) == MemberHistory()


def test_what_is_owed_stays_once_money_was_taken(lane: Lane) -> None:
    lane.publish(offer_record(ONCE), offer_record(SECOND))
    first = lane.state
    assert fill(lane, ONE, 10) == 690
    lane.pay(500)
    waiting, lane.state = lane.state, replace(first, lane=2)
    assert buy(lane, ONE, 10) == 690
    lane.state = waiting
    assert (due(lane), shown(lane)["remaining_minor"]) == (690, 190)
    lane.do(Undo())
    assert due(lane) == 940  # no money is there, so the sale at lane 2 counts
    lane.pay(940)
    assert lane.journal.member_history(ONE).orders == 2


def test_a_refused_tender_pins_nothing(lane: Lane) -> None:
    lane.publish(offer_record(ONCE))
    fill(lane, ONE, 10)
    with pytest.raises(RefusedError, match=r"tender\.amount"):
        lane.pay(0)
    assert lane.basket().history is None


def test_members_are_asked_for_only_where_an_offer_wants_to_know(lane: Lane) -> None:
    lane.publish(offer_record(replace(ONCE, limits=Limits())))
    asked: list[str] = []
    look = lane.journal.member_history

    def history_of(member: str) -> MemberHistory:
        asked.append(member)
        return look(member)

    def price() -> list[str]:
        asked.clear()
        sources = replace(lane.shop.sources, history_of=history_of)
        offer_reasons(lane.basket(), sources, "en")
        return asked[:]

    fill(lane, ONE, 10)
    assert price() == []
    lane.do(VoidBasket("left", MANAGER))
    lane.publish(offer_record(ONCE))
    fill(lane, None, 10)
    assert price() == []
    lane.scan(member_card_code(ONE))
    assert price() == [ONE]


def test_an_offer_that_comes_back_in_another_version_goes_on_counting(lane: Lane) -> None:
    lane.publish(offer_record(ONCE))
    buy(lane, ONE, 10)
    lane.publish(Record(RecordKind.OFFER, "once", None))
    assert buy(lane, ONE, 10) == 990
    lane.publish(offer_record(replace(ONCE, version=2)))
    assert buy(lane, ONE, 10) == 990
    lane.publish(offer_record(replace(ONCE, version=3, limits=Limits(per_member=2))))
    assert buy(lane, ONE, 10) == 690


SELL_AND_DIE = """
    import os, signal, sys
    from pathlib import Path
    from tests.integration.edge.boxes import offer_record
    from tests.integration.edge.lanes import a_lane
    from tests.integration.edge.test_member_limits import ONCE, ONE, TWO, buy
    with a_lane(Path(sys.argv[1])) as lane:
        lane.publish(offer_record(ONCE), offer_record(TWO))
        buy(lane, ONE, 10, 5)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def sell_and_die(folder: Path) -> None:
    """Sell both offers to a member in a process that is killed after the sale."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SELL_AND_DIE), str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


HELD = MemberHistory(1, {"once": 1, "two": 1}, {"once": 2, "two": 1})


def test_counts_survive_a_kill(tmp_path: Path) -> None:
    sell_and_die(tmp_path)
    journal = a_journal(tmp_path)
    assert journal.member_history(ONE) == HELD
    journal.close()


OLDER_SCHEMA = """
    DROP TABLE member_use; DROP TABLE projected; DROP TABLE older_copy; DROP TABLE note;
    DROP TABLE anchor; ALTER TABLE stream DROP COLUMN series;
    ALTER TABLE stream DROP COLUMN began_at_ms; PRAGMA user_version=1;
"""


def as_of_older_software(folder: Path, script: str = "") -> None:
    """Take away what newer software keeps; a person with root may change entries as well."""
    connection = sqlite3.connect(folder / "journal.db", isolation_level=None)
    connection.executescript(OLDER_SCHEMA + script)
    connection.close()


def test_a_box_that_sold_with_older_software_counts_from_its_journal(tmp_path: Path) -> None:
    sell_and_die(tmp_path)
    as_of_older_software(tmp_path)
    for _ in range(2):
        journal = a_journal(tmp_path)
        assert journal.member_history(ONE) == HELD
        journal.close()


@pytest.mark.parametrize(
    "change",
    ["UPDATE entry SET body=x'ff' WHERE seq=2", "UPDATE entry SET body=x'7b7d' WHERE seq=2"],
)
def test_an_entry_that_cannot_be_read_does_not_keep_the_shop_shut(
    tmp_path: Path, change: str
) -> None:
    with a_lane(tmp_path) as lane:
        lane.publish(offer_record(ONCE))
        for _ in range(TAIL_CHECKED + 2):
            buy(lane, ONE, 10)
    as_of_older_software(tmp_path, f"DROP TRIGGER entry_is_final; {change}")
    journal = a_journal(tmp_path)
    assert journal.member_history(ONE) == MemberHistory(TAIL_CHECKED + 1)
    journal.close()


def test_a_count_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    sell_and_die(tmp_path)
    as_of_older_software(tmp_path, "CREATE TABLE member_use(what);")
    connection = connect_writer(tmp_path / "journal.db", "FULL")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection, MIGRATIONS)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.execute("DROP TABLE member_use")
    connection.close()
    journal = a_journal(tmp_path)
    assert journal.member_history(ONE) == HELD
    journal.close()
