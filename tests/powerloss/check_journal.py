"""Whether a journal that the real code has recovered is the one that was promised."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache, reduce
from pathlib import Path

from edge.journal.reader import JournalReader, verify_file
from edge.journal.store import Journal
from shared.journal.entry import JournalEntry
from shared.journal.event import DayOpened, EntrySalvaged, Event, SaleCompleted
from shared.sale.receipt_no import parse_receipt_no
from shared.till.z_report import ZReport, fold_z, merge_z
from shared.wire.codec import parse_body, parse_event
from tests.builders import STREAM
from tests.integration.edge.boxes import a_draft, a_journal, a_sale_draft
from tests.powerloss.campaign import Facts, LostError

EVERYTHING = 1 << 40
LATER_DAY = "2017-08-09"


def check_journal(folder: Path, promises: list[Facts]) -> None:
    """Open it as a box does at its start; compare with what was promised; sell once more."""
    journal = a_journal(folder)
    try:
        entries = journal.read(0, EVERYTHING, EVERYTHING)
        _check_entries(journal, entries, promises)
        _check_life(journal, promises)
        _check_marks(journal, entries, promises)
        if journal.life.number == 1 and journal.pruned_to() < 0:
            _check_projections(journal, entries)
        _sell_again(journal, promises)
        head = journal.head()[1].hex()
        files = [path for _, path in journal.older_lives()]
    finally:
        journal.close()
    assert verify_file(journal.path)[1] == head
    for path in files:
        verify_file(path)


def _check_entries(journal: Journal, entries: list[JournalEntry], promises: list[Facts]) -> None:
    """Everything promised is there, as it was."""
    kept = {entry.id: entry for entry in entries}
    pruned = _pruned(journal, promises)
    told = [facts for facts in promises if "entry" in facts and facts.get("seq", 0) not in pruned]
    found = {facts["entry"]: _found(journal, kept, facts["entry"]) for facts in told}
    lost = [facts for facts in told if found[facts["entry"]] is None]
    if lost:
        raise LostError(f"{len(lost)} lost, first {lost[0]}", len(lost))
    for facts in told:
        entry = found[facts["entry"]]
        assert entry is not None
        if "hash" in facts and entry.type != EntrySalvaged.type:
            assert (entry.seq, entry.hash.hex()) == (facts["seq"], facts["hash"])
        if facts["receipt"]:
            assert journal.sale_by_receipt(facts["receipt"]).id == entry.id


def _found(journal: Journal, kept: dict[str, JournalEntry], entry_id: str) -> JournalEntry | None:
    return kept.get(entry_id) or journal.entry_by_id(entry_id)


def _pruned(journal: Journal, promises: list[Facts]) -> range:
    """Numbers that were pruned: wholly or not at all, and never what was not announced."""
    limit = journal.pruned_to()
    assert limit in {_newest(promises, "pruned"), _newest(promises, "pruning")}
    return range(1, limit + 1)


def _check_life(journal: Journal, promises: list[Facts]) -> None:
    """No new journal for no reason; and in a new one each entry that went along stands once."""
    number = max(_newest(promises, "life"), 1)
    assert journal.life.number in {number, max(number, _newest(promises, "beginning"))}
    if journal.life.number == 1:
        assert journal.stream == STREAM, "another journal for no reason"
        return
    day = journal.day()
    assert day is not None
    sold = {
        entry.id
        for path in (journal.path, *(path for _, path in journal.older_lives()))
        for entry in _entries_in(path)
        if "sale.completed" in {entry.type, _salvaged_type(entry)}
    }
    assert journal.z(day.biz).receipts == len(sold)


def _entries_in(path: Path) -> list[JournalEntry]:
    reader = JournalReader(path)
    reader.open()
    try:
        return reader.read(0, EVERYTHING, EVERYTHING)
    finally:
        reader.close()


def _salvaged_type(entry: JournalEntry) -> str:
    if entry.type != EntrySalvaged.type:
        return ""
    kind: str = json.loads(parse_body(entry.body)["data"]["body"])["type"]
    return kind


def _check_marks(journal: Journal, entries: list[JournalEntry], promises: list[Facts]) -> None:
    begin = journal.pruned_to() + 1
    assert [entry.seq for entry in entries if entry.seq >= max(begin, 1)] == list(
        range(max(begin, 1), entries[-1].seq + 1)
    )
    if journal.life.number == 1:
        assert _newest(promises, "acked") <= journal.acked() <= entries[-1].seq


def _newest(promises: list[Facts], name: str) -> int:
    return max((facts[name] for facts in promises if name in facts), default=-1)


def _check_projections(journal: Journal, entries: list[JournalEntry]) -> None:
    """What stands beside the entries is what follows from them."""
    events = [_event_of(entry.type, entry.body) for entry in entries]
    numbers: dict[int, list[int]] = defaultdict(list)
    reports: dict[tuple[str, str], ZReport] = {}
    for event, biz, till in events:
        if isinstance(event, SaleCompleted):
            number = parse_receipt_no(event.sale.receipt_no)
            assert number is not None
            numbers[number.lane].append(number.number)
        if biz:
            reports[biz, till] = fold_z(reports.get((biz, till)) or ZReport(biz), event)
    for lane, found in numbers.items():
        assert found == list(range(1, len(found) + 1)), "receipt numbers with a gap"
        assert journal.next_receipt_no(lane).endswith(f"-{len(found) + 1:06d}")
    for biz in {biz for biz, _ in reports}:
        of_day = (report for (day, _), report in reports.items() if day == biz)
        assert journal.z(biz) == reduce(merge_z, of_day, ZReport(biz))
    days = [event.business_date for event, _, _ in events if isinstance(event, DayOpened)]
    day = journal.day()
    assert (day.biz if day else None) == (days[-1] if days else None)


def _sell_again(journal: Journal, promises: list[Facts]) -> None:
    """The next sale gets a number that nobody has in hand."""
    given = {facts.get("receipt") for facts in promises}
    day = journal.day()
    if day is None or not day.is_open:
        journal.append(a_draft(DayOpened(LATER_DAY), till="", biz=LATER_DAY))
        day = journal.day()
    assert day is not None
    draft = a_sale_draft(journal, biz=day.biz)
    assert isinstance(draft.event, SaleCompleted)
    assert draft.event.sale.receipt_no not in given, "a receipt number was given twice"
    journal.append(draft)


@cache
def _event_of(kind: str, body: bytes) -> tuple[Event, str, str]:
    """Event, business date and till of an entry; the same entries are in thousands of images."""
    raw = parse_body(body)
    return parse_event(kind, raw["data"]), raw["biz"], raw["till"]
