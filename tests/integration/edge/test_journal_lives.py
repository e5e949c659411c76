"""A journal's lives on real files: lost, cut short, copied, restored; nothing is given twice."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.copy.adopt import adopt
from edge.journal import lives, succession
from edge.journal.ballast import BALLAST_FILE
from edge.journal.life_files import BUILDING, mark_path, read_mark
from edge.journal.projections import Projections
from edge.journal.reader import verify_file
from edge.journal.signer import KEY_FILE, load_or_create
from edge.journal.store import EntryDraft, Journal
from shared.journal.carbon import check_carbon
from shared.journal.event import DayClosed, DrawerOpened, EntrySalvaged, ReceiptReprinted
from shared.journal.life import KEEP_MS, LIVES_PER_DAY_MAX, LifeCause
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.sale.receipt_no import parse_receipt_no
from tests.builders import OPENED_AT_MS, STREAM
from tests.integration.edge.boxes import (
    DAY,
    a_clock,
    a_draft,
    a_journal,
    a_sale_draft,
    an_identity,
    open_day,
)

NOW_MS = OPENED_AT_MS


def sell(journal: Journal, count: int, lane: int = 1) -> list[EntryDraft]:
    drafts = []
    for _ in range(count):
        drafts.append(a_sale_draft(journal, lane=lane))
        journal.append(drafts[-1])
    return drafts


def a_shop(folder: Path, sales: int = 3, acked: int | None = None) -> Journal:
    """A journal in mid-day; entries up to `acked` are acknowledged."""
    journal = a_journal(folder)
    open_day(journal)
    sell(journal, sales)
    if acked is not None:
        found = journal.hash_at(acked)
        assert found is not None
        journal.mark_acked(acked, found, "1-1")
    return journal


def bodies(journal: Journal) -> list[dict[str, object]]:
    return [json.loads(entry.body) for entry in journal.read(0, 10_000, 1 << 30)]


def genesis(journal: Journal) -> dict[str, object]:
    data = bodies(journal)[0]["data"]
    assert isinstance(data, dict)
    return data


def test_a_fork_goes_on_under_a_stream_of_its_own_with_what_was_not_acknowledged(
    tmp_path: Path,
) -> None:
    journal = a_shop(tmp_path, sales=4, acked=3)
    old = journal.read(0, 100, 1 << 30)
    drafts = [entry.id for entry in old]
    assert journal.begin_life(LifeCause.CLONE, NOW_MS, "1-1")

    entries = journal.read(0, 100, 1 << 30)
    assert [entry.type for entry in entries] == ["stream.opened"] + 2 * ["entry.salvaged"]
    assert [entry.id for entry in entries[1:]] == drafts[4:]
    salvaged = bodies(journal)[1]["data"]
    assert salvaged == {
        "stream": STREAM,
        "seq": 4,
        "hash": old[4].hash.hex(),
        "body": old[4].body.decode(),
    }
    assert genesis(journal)["previous"] == {
        "stream": STREAM,
        "seq": 3,
        "hash": old[3].hash.hex(),
    }
    assert journal.stream != STREAM
    journal.close()
    assert verify_file(tmp_path / "journal-2.db")[0] == 3
    assert verify_file(tmp_path / "journal.db")[0] == 6


def test_day_totals_and_members_go_along_and_receipt_numbers_begin_a_series(
    tmp_path: Path,
) -> None:
    journal = a_shop(tmp_path, sales=4, acked=3)
    report, history = journal.z(DAY), journal.member_history("M1")
    boot = journal.boot()
    assert journal.begin_life(LifeCause.RESTORE, NOW_MS)
    assert (journal.z(DAY), journal.member_history("M1")) == (report, history)
    assert journal.boot() == boot + 1
    number = parse_receipt_no(journal.next_receipt_no(1))
    assert number is not None
    assert (number.lane, number.number, len(number.series)) == (1, 1, 4)
    entry = journal.append(a_sale_draft(journal))
    assert json.loads(entry.body)["gt"]["sales"] == 5000
    assert journal.z(DAY).receipts == 5
    assert journal.sale_by_receipt(str(number)) == entry


def test_receipts_of_an_older_life_are_found_copied_and_not_sold_again(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    drafts = sell(journal, 3)
    journal.append(a_draft(ReceiptReprinted(1, "1-000001", 1)))
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    before = journal.head()
    for draft in drafts:  # a tablet that asks again after the change
        assert journal.append(draft).id == draft.id
    assert journal.head() == before
    sale = journal.sale_by_receipt("1-000002")
    assert (sale.id, sale.type) == (drafts[1].id, "sale.completed")
    assert journal.sale_by_id(drafts[2].id) == journal.sale_by_receipt("1-000003")
    assert (journal.copies_of("1-000001"), journal.copies_of("1-000002")) == (1, 0)
    journal.append(a_draft(ReceiptReprinted(1, "1-000001", 2)))
    assert journal.copies_of("1-000001") == 2


def test_what_waited_through_two_lives_still_says_where_it_was_born(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=1, acked=1)
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    salvaged = [EntrySalvaged(**body["data"]) for body in bodies(journal)[1:]]  # type: ignore[arg-type]
    assert [(each.stream, each.seq) for each in salvaged] == [(STREAM, 2)]
    assert [stream for stream, _ in journal.older_lives()][-1] == STREAM


def test_entries_of_an_older_life_can_be_taken_into_this_one_once(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=2, acked=3)
    entries, carbons = journal.read(2, 10, 1 << 30), journal.carbons(2, 10)
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    report = journal.z(DAY)
    for carbon in (*carbons, *carbons):
        adopt(journal, carbon, lambda: NOW_MS)
    assert journal.head()[0] == 2
    assert journal.z(DAY) == report
    sale = journal.sale_by_id(entries[0].id)
    assert sale is not None
    assert sale.type == "sale.completed"


def test_a_cloud_that_went_back_in_time_gets_all_since_the_archive(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=3, acked=4)
    found = journal.hash_at(2)
    assert found is not None
    journal.mark_safe(2, found)
    assert journal.begin_life(LifeCause.CLONE, NOW_MS, "1-2")
    assert [body["data"]["seq"] for body in bodies(journal)[1:]] == [3, 4]  # type: ignore[index]


def test_lives_do_not_follow_each_other_without_end(tmp_path: Path) -> None:
    journal = a_shop(tmp_path)
    for _ in range(LIVES_PER_DAY_MAX - 1):
        assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    stream = journal.stream
    assert not journal.begin_life(LifeCause.CLONE, NOW_MS)
    assert journal.stream == stream
    journal.append(a_sale_draft(journal))
    assert journal.begin_life(LifeCause.CLONE, NOW_MS + 25 * 3_600_000)


@pytest.mark.parametrize("damage", ["deleted", "zeroed", "cut"])
def test_a_journal_that_is_gone_is_not_begun_again_under_its_name(
    tmp_path: Path, damage: str
) -> None:
    journal = a_shop(tmp_path, acked=3)
    journal.close()
    path = tmp_path / "journal.db"
    if damage == "deleted":
        path.unlink()
    elif damage == "zeroed":
        path.write_bytes(bytes(path.stat().st_size))
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = a_journal(tmp_path)
    data = genesis(again)
    assert (data["cause"], again.stream != STREAM) == ("corrupt", True)
    previous = data["previous"]
    assert isinstance(previous, dict)
    assert (previous["stream"], previous["seq"]) == (STREAM, 3)
    day = again.day()
    assert day is not None
    assert (day.biz, day.is_open) == (DAY, True)
    assert again.next_receipt_no(1) != "1-000001"
    entry = again.append(a_sale_draft(again))
    assert json.loads(entry.body)["gt"]["sales"] > 1000
    again.close()
    third = a_journal(tmp_path)
    assert (third.cause, third.head()) == (None, (entry.seq, entry.hash))


def test_a_file_that_lags_behind_its_mark_is_an_old_one(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=1)
    journal.close()
    shutil.copy(tmp_path / "journal.db", tmp_path / "image")
    journal = a_journal(tmp_path)
    drafts = sell(journal, 3)
    journal.mark_acked(*journal.head(), "1-1")
    journal.close()
    shutil.copy(tmp_path / "image", tmp_path / "journal.db")
    again = a_journal(tmp_path)
    assert genesis(again)["cause"] == "restore"
    series = parse_receipt_no(again.next_receipt_no(1))
    assert series is not None
    assert series.series != ""
    assert again.sale_by_id(drafts[0].id) is None


def test_another_machine_with_the_same_card_is_a_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = a_shop(tmp_path, sales=2)
    journal.close()
    monkeypatch.setattr(succession, "hardware_fingerprint", lambda: "f" * 32)
    again = a_journal(tmp_path)
    assert (genesis(again)["cause"], genesis(again)["hw_fp"]) == ("clone", "f" * 32)
    assert again.z(DAY).receipts == 2
    again.close()
    assert a_journal(tmp_path).cause is None


@pytest.mark.parametrize("acked", [None, 2])
def test_a_power_cut_between_a_new_life_and_its_mark_makes_no_third(
    tmp_path: Path, acked: int | None
) -> None:
    journal = a_shop(tmp_path, acked=acked)
    before = mark_path(tmp_path / "journal.db").read_bytes()
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    stream = journal.stream
    journal.close()
    mark_path(tmp_path / "journal.db").write_bytes(before)
    again = a_journal(tmp_path)
    assert (again.stream, again.cause) == (stream, None)
    again.close()
    (tmp_path / "journal-2.db").unlink()
    assert a_journal(tmp_path).cause == "corrupt"


def test_a_life_whose_making_was_cut_off_leaves_the_old_one(tmp_path: Path) -> None:
    journal = a_shop(tmp_path)
    head = journal.head()
    journal.close()
    for name in ("", "-wal", "-shm"):
        (tmp_path / f"journal-2.db{BUILDING}{name}").write_bytes(b"half of it")
    again = a_journal(tmp_path)
    assert (again.stream, again.head()) == (STREAM, head)
    assert not list(tmp_path.glob(f"*{BUILDING}*"))


def test_a_second_box_of_a_store_begins_with_a_series_of_its_own(tmp_path: Path) -> None:
    journal = a_journal(tmp_path, ordinal=2, cause="swap")
    number = parse_receipt_no(journal.next_receipt_no(1))
    assert number is not None
    assert (genesis(journal)["cause"], number.series) == ("swap", genesis(journal)["series"])


def test_the_mark_is_written_at_the_first_opening(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    mark = read_mark(tmp_path / "journal.db")
    assert mark is not None
    assert (mark.stream, mark.seq, bytes.fromhex(mark.hash)) == (STREAM, *journal.head())


@pytest.mark.parametrize("damage", [b"", b"{}", b"null", b'{"life": 1}'])
def test_a_damaged_mark_does_not_stop_the_box(tmp_path: Path, damage: bytes) -> None:
    journal = a_shop(tmp_path)
    head = journal.head()
    journal.close()
    mark_path(tmp_path / "journal.db").write_bytes(damage)
    again = a_journal(tmp_path)
    assert (again.head(), again.cause) == (head, None)


def test_carbons_prove_themselves(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=3, acked=2)
    key = load_or_create(tmp_path / KEY_FILE)._key.public_key()

    def is_signed(sig: bytes, message: bytes) -> bool:
        key.verify(sig, message)
        return True

    carbons = journal.carbons(journal.acked() + 1, 10)
    assert [carbon.seq for carbon in carbons] == [3, 4]
    for carbon in carbons:
        check_carbon(carbon, is_signed)
        assert carbon.stream == STREAM


def an_old_shop(tmp_path: Path, sales: int) -> Journal:
    journal = a_shop(tmp_path, sales)
    found = journal.hash_at(sales - 1)
    assert found is not None
    journal.mark_acked(sales - 1, found)
    journal.mark_safe(sales - 1, found)
    return journal


def test_only_what_is_safe_and_old_is_pruned_and_the_chain_still_has_a_beginning(
    tmp_path: Path,
) -> None:
    journal = an_old_shop(tmp_path, 10)
    assert journal.prune(NOW_MS + KEEP_MS) == 0
    later_ms = NOW_MS + KEEP_MS + 1
    assert (journal.prune(later_ms), journal.prune(later_ms)) == (9, 0)
    assert [entry.seq for entry in journal.read(0, 10, 1 << 30)] == [0, 10, 11]
    assert (journal.first_kept(), journal.hash_before(10)) == (10, journal.hash_at(9))
    assert journal.next_receipt_no(1) == "1-000011"
    report = journal.z(DAY)
    journal.close()
    assert verify_file(tmp_path / "journal.db")[0] == 3
    again = a_journal(tmp_path)
    assert (again.cause, again.z(DAY)) == (None, report)
    assert again.next_receipt_no(1) == "1-000011"
    again.append(a_sale_draft(again))


def test_the_last_entry_stays_though_the_shop_was_shut_for_years(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=5)
    head = journal.head()
    journal.mark_acked(*head)
    journal.mark_safe(*head)
    assert journal.prune(NOW_MS + 2 * KEEP_MS) == 5
    journal.close()
    again = a_journal(tmp_path)
    assert (again.cause, again.head(), again.next_receipt_no(1)) == (None, head, "1-000006")
    entry = again.append(a_sale_draft(again))
    assert json.loads(entry.body)["gt"]["sales"] == 6000
    again.close()
    assert verify_file(tmp_path / "journal.db")[0] == 3


def test_nothing_is_pruned_whose_archive_is_not_ours(tmp_path: Path) -> None:
    journal = an_old_shop(tmp_path, 5)
    journal.close()
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    connection.execute("UPDATE watermark SET hash=zeroblob(32) WHERE name='safe'")
    connection.close()
    assert a_journal(tmp_path).prune(NOW_MS + 2 * KEEP_MS) == 0


def test_a_journal_cut_short_by_hand_has_no_beginning(tmp_path: Path) -> None:
    journal = an_old_shop(tmp_path, 10)
    journal.prune(NOW_MS + KEEP_MS + 1)
    journal.close()
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    connection.executescript("DROP TRIGGER entry_stays; DELETE FROM entry WHERE seq=10")
    connection.close()
    with pytest.raises(CorruptError) as caught:
        verify_file(tmp_path / "journal.db")
    assert (caught.value.code, caught.value.params) == ("journal.gap", {"seq": 10})


def test_tables_that_were_not_written_before_a_kill_are_folded_again(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=30)
    journal.append(a_draft(DrawerOpened(1, "change")))
    # The file as a kill would leave it: what is folded in memory only is not in the copy.
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tmp_path.glob("journal.*"):
        shutil.copy(path, copy / path.name)
    shutil.copy(tmp_path / KEY_FILE, copy / KEY_FILE)
    raw = sqlite3.connect(copy / "journal.db")
    assert raw.execute("SELECT seq FROM projected").fetchone()[0] < 30
    raw.close()
    again = a_journal(copy)
    assert again.z(DAY) == journal.z(DAY)
    assert again.next_receipt_no(1) == "1-000031"
    assert again.receipts_of(DAY) == journal.receipts_of(DAY)


def test_a_receipt_number_out_of_turn_is_refused(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=2)
    first = a_sale_draft(journal)
    journal.append(first)
    again = a_draft(first.event)
    with pytest.raises(CorruptError, match=r"journal\.receipt_no"):
        journal.append(again)
    assert journal.next_receipt_no(1) == "1-000004"


def test_ballast_is_there_to_be_given_up(tmp_path: Path) -> None:
    journal = Journal(
        tmp_path / "journal.db",
        an_identity(),
        a_clock(),
        load_or_create(tmp_path / KEY_FILE),
        ballast_bytes=1 << 20,
    )
    journal.open()
    assert (tmp_path / BALLAST_FILE).stat().st_size == 1 << 20
    assert not journal.is_short_of_room
    journal.refuse_if_full()
    (tmp_path / BALLAST_FILE).unlink()
    assert journal.is_short_of_room
    journal.close()


def test_payment_is_refused_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = a_shop(tmp_path)
    monkeypatch.setattr("edge.journal.ballast.free_bytes", lambda _: 4096)
    with pytest.raises(RefusedError, match=r"journal\.disk_full"):
        journal.refuse_if_full()
    monkeypatch.setattr("edge.journal.store.is_read_only", lambda _: True)
    with pytest.raises(RefusedError, match=r"journal\.read_only"):
        journal.refuse_if_full()


def kill(journal: Journal) -> None:
    """The process is gone; what waited in memory with it."""
    journal._let_go()


def spoil(path: Path, seq: int, find: str, put: str) -> None:
    """Bits of a stored entry flip."""
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER entry_is_final")
        (body,) = connection.execute("SELECT body FROM entry WHERE seq=?", (seq,)).fetchone()
        assert find.encode() in body
        changed = body.replace(find.encode(), put.encode())
        connection.execute("UPDATE entry SET body=? WHERE seq=?", (changed, seq))
    connection.close()


def test_receipts_of_a_killed_life_are_found_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = a_shop(tmp_path, sales=2)
    journal.append(a_draft(ReceiptReprinted(1, "1-000002", 1)))
    kill(journal)
    monkeypatch.setattr(succession, "hardware_fingerprint", lambda: "f" * 32)
    again = a_journal(tmp_path)
    assert again.cause == "clone"
    assert [again.sale_by_receipt(f"1-00000{number}").seq for number in (1, 2)] == [2, 3]
    assert again.copies_of("1-000002") == 1


@pytest.mark.parametrize("is_killed", [True, False])
@pytest.mark.parametrize(("find", "put"), [('"units":2', '"units":3'), ('"data"', '"data')])
def test_of_a_journal_with_one_damaged_entry_the_others_still_arrive(
    tmp_path: Path, find: str, put: str, *, is_killed: bool
) -> None:
    journal = a_shop(tmp_path, sales=5, acked=2)
    tail = journal.read(3, 99, 1 << 20)
    kill(journal) if is_killed else journal.close()
    spoil(tmp_path / "journal.db", 4, find, put)
    again = a_journal(tmp_path)
    assert again.cause == "corrupt"
    salvaged = again.read(1, 99, 1 << 20)
    assert [entry.id for entry in salvaged] == [entry.id for entry in tail]
    carried = [json.loads(entry.body)["data"]["body"].encode() for entry in salvaged]
    assert [carried[at] == tail[at].body for at in range(4)] == [True, False, True, True]
    assert carried[1].startswith(b"damaged: ")  # nobody may take it for a sale
    day = again.day()
    assert day is not None
    assert (day.biz, day.is_open) == (DAY, True)


def test_an_old_image_does_not_close_a_day_again_nor_turn_back_the_totals(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=1)
    journal.close()
    shutil.copy(tmp_path / "journal.db", tmp_path / "image")
    journal = a_journal(tmp_path)
    sell(journal, 3)
    journal.append(a_draft(DayClosed(DAY, {}, {}), till=""))
    journal.mark_acked(*journal.head(), "1-1")
    journal.close()
    shutil.copy(tmp_path / "image", tmp_path / "journal.db")
    again = a_journal(tmp_path)
    day = again.day()
    assert day is not None
    assert (again.cause, day.biz, day.is_open) == ("restore", DAY, False)
    assert bodies(again)[0]["gt"] == {"sales": 4000, "refunds": 0}


def test_the_reports_of_days_before_a_new_life_stay(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=3)
    journal.append(a_draft(DayClosed(DAY, {}, {}), till=""))
    open_day(journal, "2017-08-08")
    journal.append(a_sale_draft(journal, biz="2017-08-08"))
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    assert (journal.z(DAY).receipts, journal.z("2017-08-08").receipts) == (3, 1)
    assert journal.z("2017-08-09").receipts == 0


def test_a_new_life_that_finds_no_room_leaves_the_old_one_selling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = a_shop(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(lives, "_write_life", _no_room)
        with pytest.raises(sqlite3.OperationalError):
            journal.begin_life(LifeCause.CLONE, NOW_MS)
    assert not list(tmp_path.glob(f"*{BUILDING}*"))
    sell(journal, 1)
    with monkeypatch.context() as full:
        full.setattr(Journal, "open_older", _no_room)
        with pytest.raises(sqlite3.OperationalError):
            journal.begin_life(LifeCause.CLONE, NOW_MS)
    sell(journal, 1)
    assert (journal.stream, journal.z(DAY).receipts) == (STREAM, 5)
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    sell(journal, 1)
    journal.close()
    assert verify_file(tmp_path / "journal.db")[0] == 7
    assert verify_file(tmp_path / "journal-2.db")[0] == 8
    assert a_journal(tmp_path).cause is None


def _no_room(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_a_basket_sold_before_a_fork_is_that_sale_and_not_its_copy(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=0)
    (draft,) = sell(journal, 1)
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    assert journal.append(draft).type == "sale.completed"
    assert journal.head()[0] == 2


def test_a_copy_that_could_not_be_written_is_not_taken_for_the_older_life_s_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = a_shop(tmp_path, sales=2, acked=3)
    (old,) = journal.carbons(3, 1)
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    with monkeypatch.context() as full:
        full.setattr("edge.journal.lives.PUT_ENTRY", "INSERT INTO nowhere VALUES(?,?,?,?,?)")
        with pytest.raises(UnavailableError):
            adopt(journal, old, lambda: NOW_MS)
    adopt(journal, old, lambda: NOW_MS)
    assert journal.head()[0] == 1


def test_a_damaged_entry_is_not_copied_but_those_behind_it_are(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=3)
    spoil(tmp_path / "journal.db", 3, '"units":2', '"units":3')
    assert [carbon.seq for carbon in journal.carbons(1, 9)] == [1, 2, 4]


def test_a_lane_s_last_receipts_are_still_listed_in_a_new_life(tmp_path: Path) -> None:
    journal = a_shop(tmp_path, sales=3)
    sell(journal, 1, lane=2)
    journal.append(a_draft(ReceiptReprinted(1, "1-000003", 1)))
    assert journal.begin_life(LifeCause.CLONE, NOW_MS)
    assert journal.last_receipt_no(1) == "1-000003"
    journal.append(a_draft(ReceiptReprinted(1, "1-000003", 2)))
    (new,) = sell(journal, 1)
    listed = journal.recent_sales(1, 3)
    numbers = [json.loads(entry.body)["data"]["sale"]["receipt_no"] for entry, _ in listed]
    assert (listed[0][0].id, numbers[1:]) == (new.id, ["1-000003", "1-000002"])
    assert [copies for _, copies in listed] == [0, 2, 0]
    assert journal.last_receipt_no(1) == numbers[0]
    assert journal.last_receipt_no(3) is None


def test_of_a_journal_with_an_unreadable_page_what_lies_on_the_others_arrives(
    tmp_path: Path,
) -> None:
    journal = a_shop(tmp_path, sales=40, acked=2)
    tail = [entry.id for entry in journal.read(3, 99, 1 << 20)]
    journal.close()
    path = tmp_path / "journal.db"
    at = path.read_bytes().index(f'"id":"{tail[20]}"'.encode()) // 4096
    with path.open("r+b") as file:
        file.seek(at * 4096)
        file.write(b"\xff" * 4096)
    again = a_journal(tmp_path)
    assert again.cause == "corrupt"
    salvaged = {entry.id for entry in again.read(1, 99, 1 << 20)}
    assert {tail[0], tail[-1]} < salvaged < set(tail)
    assert len(salvaged) >= len(tail) - 8


def test_a_report_on_a_full_disk_is_refused_in_words_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = a_shop(tmp_path, sales=3)
    with monkeypatch.context() as full:
        full.setattr(Projections, "write", _no_room)
        with pytest.raises(UnavailableError, match=r"journal\."):
            journal.z(DAY)
    sell(journal, 1)
    assert journal.z(DAY).receipts == 4
