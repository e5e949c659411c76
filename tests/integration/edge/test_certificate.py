"""The completeness certificate that a box makes of its own journal when it closes the day."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.clock import SystemClock
from edge.ids import Ids
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from edge.till.service import Till, close_day, closing_slip, open_day
from shared.journal.event import BasketVoided
from shared.journal.life import LifeCause
from shared.journal.merkle import merkle_root
from shared.till.certificate import (
    DayCertificate,
    box_statement,
    certificate_code,
    read_certificate,
)
from shared.till.certificate_check import flaw_after, flaw_within
from shared.wire.codec import parse_body
from tests.integration.edge.boxes import DAY, MANAGER, a_clock, a_draft, a_journal, a_sale_draft

NEXT_DAY = "2017-08-08"


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(
        a_journal(tmp_path), a_clock(), Ids(SystemClock()), lambda: 7, lambda: 0, lambda: None
    )


def sell(journal: Journal, *lanes: int, biz: str = DAY) -> list[bytes]:
    return [journal.append(a_sale_draft(journal, lane, biz=biz)).hash for lane in lanes]


def closed(till: Till) -> tuple[DayCertificate, str, str]:
    """What the last entry says: the certificate, its document and the signature."""
    close_day(till=till, operator=MANAGER)
    [entry] = till.journal.read(till.journal.head()[0], 1, 1 << 20)
    data = parse_body(entry.body)["data"]
    return read_certificate(data["certificate"]), data["certificate"], data["certificate_sig"]


def test_it_counts_every_receipt_of_each_till_and_stands_for_their_entries(till: Till) -> None:
    open_day(till=till, business_date=DAY, operator=MANAGER)
    first_seq = till.journal.head()[0]
    hashes = sell(till.journal, 1, 2, 1)
    till.journal.append(a_draft(BasketVoided(2, 1, 500, "test")))
    certificate, _, _ = closed(till)
    span = certificate.span
    assert (span.store, span.business_date) == ("343", DAY)
    assert (span.first_seq, span.last_seq) == (first_seq, first_seq + 4)
    assert (span.gt_before, span.gt_after) == ((0, 0), (3000, 0))
    one, two = certificate.tills
    assert (one.till, one.first, one.last, one.count, one.net_minor) == ("1", 1, 2, 2, 2000)
    assert (two.till, two.first, two.last, two.count, two.net_minor) == ("2", 1, 1, 1, 1000)
    assert one.root == merkle_root([hashes[0], hashes[2]]).hex()
    assert two.root == merkle_root([hashes[1]]).hex()
    assert flaw_within(certificate) is None


def test_the_journal_key_signs_it_and_the_slip_shows_its_code(till: Till, tmp_path: Path) -> None:
    assert closing_slip(till=till) is None
    open_day(till=till, business_date=DAY, operator=MANAGER)
    sell(till.journal, 1)
    _, document, signature = closed(till)
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(load(tmp_path / KEY_FILE).public_hex))
    public.verify(bytes.fromhex(signature), box_statement(document))
    slip = closing_slip(till=till)
    assert slip is not None
    assert slip.code == certificate_code(document)
    assert (slip.business_date, slip.receipts, slip.net_minor) == (DAY, 1, 1000)


def test_the_next_day_goes_on_where_the_last_one_ended(till: Till) -> None:
    open_day(till=till, business_date=DAY, operator=MANAGER)
    sell(till.journal, 1, 1)
    first, _, _ = closed(till)
    open_day(till=till, business_date=NEXT_DAY, operator=MANAGER)
    sell(till.journal, 1, biz=NEXT_DAY)
    second, _, _ = closed(till)
    assert (second.tills[0].first, second.tills[0].last) == (3, 3)
    assert flaw_after(first, second) is None
    assert flaw_after(replace(first, tills=()), second) is None
    assert flaw_after(first, first) == "certificate.skipped"


def test_a_day_without_a_sale_is_certified_too(till: Till) -> None:
    open_day(till=till, business_date=DAY, operator=MANAGER)
    certificate, _, _ = closed(till)
    assert (certificate.tills, certificate.net_minor) == ((), 0)
    assert flaw_within(certificate) is None


@pytest.mark.parametrize("cause", [LifeCause.CLONE, LifeCause.RESTORE])
def test_a_day_that_went_on_in_a_new_journal_is_certified_from_its_beginning(
    till: Till, cause: LifeCause
) -> None:
    journal = till.journal
    open_day(till=till, business_date=DAY, operator=MANAGER)
    sell(journal, 1, 1)
    before = journal.stream
    journal.begin_life(cause, till.clock.now_ms(), "7-3")
    hashes = sell(journal, 1)
    certificate, _, _ = closed(till)
    assert certificate.span.stream == journal.stream != before
    assert certificate.span.first_seq == 0
    assert flaw_within(certificate) is None
    assert (certificate.span.gt_before, certificate.span.gt_after) == ((2000, 0), (3000, 0))
    [alone] = certificate.tills
    assert (alone.first, alone.last, alone.count) == (1, 1, 1)
    assert alone.series == journal.life.series != ""
    assert alone.root == merkle_root(hashes).hex()


def test_the_slip_of_the_last_day_is_still_shown_in_a_new_journal(till: Till) -> None:
    open_day(till=till, business_date=DAY, operator=MANAGER)
    sell(till.journal, 1)
    close_day(till=till, operator=MANAGER)
    slip = closing_slip(till=till)
    assert slip is not None
    assert till.journal.begin_life(LifeCause.CLONE, till.clock.now_ms())
    assert closing_slip(till=till) == slip
