"""A box is replaced: whatever copy of its tail is left, head office gets every sale once."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from edge.__main__ import main
from edge.clock import SystemClock
from edge.copy.copies import Copies, CopyParts
from edge.copy.mirror import Mirror, MirrorParts
from edge.copy.service import Offered
from edge.copy.source import CarbonTail
from edge.copy.tail import packed, run_from
from edge.identity import Identity
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from edge.sync.enrol import enrol
from shared.journal.carbon import Carbon, carbon_line
from shared.journal.life import LifeCause
from shared.kernel.errors import RefusedError
from tests.e2e.waiting import until
from tests.integration.edge.boxes import DAY, a_clock, a_sale_draft, open_day
from tests.lab.cloud_api import CloudApi

_stores = itertools.count(700)
SENT = 3
SALES = 6


@dataclass
class ARealBox:
    """An enrolled box without its process: identity, key and journal in a folder."""

    folder: Path
    identity: Identity
    journal: Journal

    @property
    def bearer(self) -> str:
        return f"Bearer {self.identity.dev}.{self.identity.secret}"

    def sell(self, count: int) -> None:
        for _ in range(count):
            self.journal.append(a_sale_draft(self.journal))

    def copies(self) -> Copies:
        signer = load(self.folder / KEY_FILE)
        clock = SystemClock()
        parts = CopyParts(self.folder, "", self.identity, signer, self.journal, clock, lambda _: 50)
        return Copies(parts)

    def send(self, api: CloudApi, first: int, last: int) -> None:
        """What this box's own uplink brought up before it died."""
        tail = CarbonTail(self.journal.stream, iter(self.journal.carbons(first, last - first + 1)))
        payload, _ = packed(tail, run_from(tail, first), "0")
        headers = {"Authorization": self.bearer}
        answer = api.stranger().post("/v1/journal/batches", content=payload, headers=headers)
        assert answer.json()["code"] == "ok"


@dataclass
class TwoBoxes:
    """The box that dies and what is known of its store."""

    api: CloudApi
    admin: httpx.Client
    folder: Path
    store: str
    old: ARealBox

    def a_box(self, name: str) -> ARealBox:
        token = self.admin.post("/v1/claims", json={"store_id": self.store}).json()["token"]
        folder = self.folder / name
        identity = enrol(folder, self.api.url, token)
        journal = Journal(
            folder / "journal.db", identity, a_clock(), load(folder / KEY_FILE), ballast_bytes=0
        )
        journal.open()
        return ARealBox(folder, identity, journal)

    def receipts(self) -> list[str]:
        query = text("SELECT receipt_no FROM sale WHERE store_id = :store ORDER BY receipt_no")
        with self.api.context.database.begin() as connection:
            return [row[0] for row in connection.execute(query, {"store": self.store})]

    @property
    def sold(self) -> list[str]:
        return [f"1-{number:06d}" for number in range(1, SALES + 1)]


@pytest.fixture
def two(api: CloudApi, admin: httpx.Client, tmp_path: Path) -> Iterator[TwoBoxes]:
    """A box with six sales, of which head office has the first."""
    store = str(next(_stores))
    body = {"name": "Main street", "time_zone": "America/New_York", "currency": "USD"}
    admin.put(f"/v1/stores/{store}", json=body).raise_for_status()
    made = TwoBoxes(api, admin, tmp_path, store, None)  # type: ignore[arg-type]
    made.old = made.a_box("old")
    open_day(made.old.journal)
    made.old.sell(SALES)
    made.old.send(api, 0, SENT - 1)
    yield made
    made.old.journal.close()


def test_the_old_card_is_handed_in_by_the_box_after_it(
    two: TwoBoxes, capsys: pytest.CaptureFixture[str]
) -> None:
    card = two.folder / "card"
    shutil.copytree(two.old.folder, card)  # as the power left it: entries in the log, none synced
    assert (card / "journal.db-wal").stat().st_size > 0
    before = {path: path.read_bytes() for path in sorted(card.rglob("*")) if path.is_file()}
    new = two.a_box("new")
    assert [each.stream for each in new.identity.previous] == [two.old.journal.stream]
    assert new.identity.cause == "swap"
    assert two.receipts() == two.sold[:1]

    command = ["salvage", str(card), "--data", str(new.folder)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert f"5 sales from {two.sold[1]} to {two.sold[-1]} handed in; nothing is missing" in said
    assert two.receipts() == two.sold
    assert {path: path.read_bytes() for path in sorted(card.rglob("*")) if path.is_file()} == before

    assert main(command) == 0
    assert "has everything already" in capsys.readouterr().out
    assert two.receipts() == two.sold
    new.journal.close()


def test_the_open_day_goes_on_at_the_box_after_it(two: TwoBoxes) -> None:
    two.old.send(two.api, SENT, SALES + 1)
    new = two.a_box("new")
    day = new.journal.day()
    assert day is not None
    assert (day.biz, day.is_open) == (DAY, True)
    new.sell(1)
    with pytest.raises(RefusedError, match=r"day\.already_open"):
        open_day(new.journal)
    new.journal.close()


def test_enrolling_in_a_dead_boxs_place_says_what_to_do_next(
    two: TwoBoxes, capsys: pytest.CaptureFixture[str]
) -> None:
    token = two.admin.post("/v1/claims", json={"store_id": two.store}).json()["token"]
    where = ["--data", str(two.folder / "new"), "--cloud", two.api.url]
    assert main(["enrol", *where, "--token", token]) == 0
    said = capsys.readouterr().out
    assert f"takes the place of {two.old.identity.dev}" in said
    assert "tillbox-edge salvage" in said


def test_a_dead_card_hands_in_for_itself_from_any_machine(
    two: TwoBoxes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two.old.journal.close()
    two.a_box("new").journal.close()
    nowhere = str(tmp_path / "nowhere")
    assert main(["salvage", str(two.old.folder), "--data", nowhere]) == 0
    assert "5 sales" in capsys.readouterr().out
    assert two.receipts() == two.sold


def test_a_journal_without_its_key_cannot_be_handed_in(
    two: TwoBoxes, capsys: pytest.CaptureFixture[str]
) -> None:
    two.old.journal.close()
    new = two.a_box("new")
    (two.old.folder / KEY_FILE).unlink()
    assert main(["salvage", str(two.old.folder / "journal.db"), "--data", str(new.folder)]) == 1
    assert KEY_FILE in capsys.readouterr().err
    assert two.receipts() == two.sold[:1]
    new.journal.close()


def test_a_mirror_is_as_good_as_the_card(two: TwoBoxes, capsys: pytest.CaptureFixture[str]) -> None:
    stick = two.folder / "stick"
    stick.mkdir()
    Mirror(
        MirrorParts(
            folder=stick,
            data_dir=two.folder,
            journal=two.old.journal,
            clock=SystemClock(),
            has_arrived=lambda _: False,
            take_in=lambda _: 0,
            disk_of=hash,
        )
    ).turn()
    two.old.journal.close()
    shutil.rmtree(two.old.folder)
    new = two.a_box("new")
    assert main(["verify-journal", str(stick)]) == 0
    assert main(["salvage", str(stick), "--data", str(new.folder)]) == 0
    assert "nothing is missing" in capsys.readouterr().out
    assert two.receipts() == two.sold
    new.journal.close()


def test_a_gap_in_the_copy_is_said(two: TwoBoxes, capsys: pytest.CaptureFixture[str]) -> None:
    carbons = [each for each in two.old.journal.carbons(SENT, 99) if each.seq != SENT + 1]
    path = two.folder / f"tillbox-{two.old.journal.stream}.jsonl"
    path.write_bytes(lines_of(carbons))
    new = two.a_box("new")
    assert main(["salvage", str(path), "--data", str(new.folder)]) == 1
    said = capsys.readouterr().out
    assert f"entries {SENT + 1} to {SENT + 1} are missing" in said
    assert "3 sales behind them" in said
    assert two.receipts() == two.sold[:2]
    new.journal.close()


def test_what_a_page_kept_reaches_head_office_through_the_new_box(two: TwoBoxes) -> None:
    kept = two.old.journal.carbons(SENT, 99)
    two.old.journal.close()
    shutil.rmtree(two.old.folder)
    new = two.a_box("new")
    copies = new.copies()
    copies.start()
    try:
        intake = copies.room().intake
        offer = Offered(kept[0].stream, kept[0].seq, kept[-1].seq, kept[-1].hash)
        assert intake.wanted([offer])[0].ranges == ((SENT, SALES + 1),)
        assert intake.take_in(lines_of(kept)) == len(kept)
        until(lambda: intake.wanted([offer])[0].acked == kept[-1].seq, "the sales to arrive")
        told = copies.status()["copies"]["salvage"]
        assert [(each["state"], each["handed_sales"]) for each in told] == [("done", 5)]
    finally:
        copies.stop()
        new.journal.close()
    assert two.receipts() == two.sold


def test_a_tail_of_a_life_that_head_office_never_heard_of_arrives(two: TwoBoxes) -> None:
    """The box began a new life offline and died: its first batch comes from the box after it."""
    journal = two.old.journal
    journal.mark_acked(SENT - 1, journal.hash_at(SENT - 1) or b"")
    assert journal.begin_life(LifeCause.CLONE, SystemClock().now_ms())
    two.old.sell(1)
    kept = journal.carbons(0, 99)
    new = two.a_box("new")
    copies = new.copies()
    copies.start()
    try:
        intake = copies.room().intake
        offer = Offered(kept[0].stream, 0, kept[-1].seq, kept[-1].hash)
        intake.take_in(lines_of(kept))
        until(lambda: intake.wanted([offer])[0].acked == kept[-1].seq, "the life to arrive")
    finally:
        copies.stop()
        new.journal.close()
    found = two.receipts()
    assert found[: len(two.sold)] == two.sold
    assert len(found) == SALES + 1


def test_an_older_life_goes_up_again_when_the_cloud_has_lost_it(two: TwoBoxes) -> None:
    """Head office was restored to before the box's older life ended."""
    journal = two.old.journal
    journal.mark_acked(SALES + 1, journal.hash_at(SALES + 1) or b"")  # by the cloud of before
    older = journal.stream
    assert journal.begin_life(LifeCause.CLONE, SystemClock().now_ms())
    assert [stream for stream, _ in journal.older_lives()] == [older]
    copies = two.old.copies()
    copies.start()
    try:
        until(lambda: two.receipts() == two.sold, "the older life to arrive")
    finally:
        copies.stop()


def lines_of(carbons: list[Carbon]) -> bytes:
    return b"".join(carbon_line(carbon) + b"\n" for carbon in carbons)
