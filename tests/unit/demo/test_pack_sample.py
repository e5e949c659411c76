from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from tests.demo.pack.codes import ean13_of, label_of
from tests.demo.pack.fold import daily_close_of, price_events_of
from tests.demo.pack.load import PackMissingError, load_pack
from tests.demo.pack.model import NO_WHOLE_PRICE, DemoPack
from tests.demo.pack.sample import sample_pack
from tests.demo.pack.tables import read_pack, write_pack


def _real_or_sample() -> DemoPack:
    try:
        return load_pack()
    except PackMissingError:
        return sample_pack()


@pytest.fixture(scope="module", params=[sample_pack, _real_or_sample], ids=["sample", "real"])
def pack(request: pytest.FixtureRequest) -> DemoPack:
    loaded: DemoPack = request.param()
    return loaded


def _digit_sum(code: str) -> int:
    return sum(int(digit) for digit in code[0::2]) + 3 * sum(int(digit) for digit in code[1::2])


def test_codes_worked_by_hand() -> None:
    assert ean13_of(1001) == "0400000010014"
    assert label_of(1, 412) == "2200001004122"


def test_every_code_is_a_valid_ean13_and_means_one_item(pack: DemoPack) -> None:
    codes = [row.ean13 for row in pack.catalogue]
    assert len(set(codes)) == len(codes)
    plus = [row.plu for row in pack.catalogue if row.weighed]
    assert plus == list(range(1, len(plus) + 1))
    scans = {line.scan for receipt in pack.receipts for line in receipt.lines}
    for code in scans | set(codes):
        assert len(code) == 13
        assert _digit_sum(code) % 10 == 0


def test_lines_add_up_and_name_known_items(pack: DemoPack) -> None:
    rows = {row.ean13: row for row in pack.catalogue}
    for receipt in pack.receipts:
        assert receipt.lines
        assert receipt.tender_cents >= 0
        for place, line in enumerate(receipt.lines, 1):
            assert (line.basket_no, line.line) == (receipt.basket_no, place)
            cut = line.member_disc_cents + line.store_coupon_cents
            assert line.gross_cents - cut == line.net_cents >= 0
            assert line.weighed == rows[line.ean13].weighed
            plu = rows[line.ean13].plu
            has_label = plu is not None and line.quantity == 1
            assert line.scan == (label_of(plu or 0, line.gross_cents) if has_label else line.ean13)


def test_the_close_and_the_prices_follow_from_the_receipts(pack: DemoPack) -> None:
    assert daily_close_of(pack.receipts) == pack.expected_daily_close
    assert price_events_of(pack.receipts) == pack.price_events


def test_receipts_and_prices_are_in_time_order(pack: DemoPack) -> None:
    numbers = [receipt.basket_no for receipt in pack.receipts]
    assert numbers == sorted(set(numbers))
    instants = [receipt.at for receipt in pack.receipts]
    assert instants == sorted(instants)
    dated = [event.effective_at for event in pack.price_events]
    assert dated == sorted(dated)


def test_the_sample_holds_every_oddity() -> None:
    pack = sample_pack()
    lines = [line for receipt in pack.receipts for line in receipt.lines]
    assert (len(pack.catalogue), len(pack.receipts), len(lines)) == (20, 12, 33)
    assert Counter(receipt.store_id for receipt in pack.receipts) == {11: 6, 12: 6}
    assert any(line.scan.startswith("22") and line.member_disc_cents for line in lines)
    assert any(line.weighed and line.quantity == 2 for line in lines)
    assert any(line.gross_cents % line.quantity for line in lines)
    assert any(event.member_price_cents == NO_WHOLE_PRICE for event in pack.price_events)
    assert any(line.store_coupon_cents and line.member_disc_cents for line in lines)
    assert any(line.mfr_coupon_cents > line.net_cents for line in lines)
    assert [receipt.basket_no for receipt in pack.receipts if not receipt.tender_cents] == [115]
    assert {row.ean13 for row in pack.catalogue} == {line.ean13 for line in lines}


def test_a_pack_survives_writing_and_reading(tmp_path: Path, pack: DemoPack) -> None:
    write_pack(pack, tmp_path)
    assert read_pack(tmp_path) == pack


def test_a_line_without_its_receipt_is_refused(tmp_path: Path) -> None:
    write_pack(sample_pack(), tmp_path)
    table = tmp_path / "receipts.csv"
    rows = table.read_text("utf-8").splitlines(keepends=True)
    table.write_text("".join(rows[:-1]), "utf-8")
    with pytest.raises(ValueError, match="first basket 123"):
        read_pack(tmp_path)


def test_instants_are_the_stores_wall_clock() -> None:
    assert sample_pack().receipts[6].at == datetime(2024, 3, 5, 0, 10, 20)  # noqa: DTZ001
