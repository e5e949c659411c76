"""The slip of a closed day and the page that tries a printer."""

from datetime import UTC

import pytest

from edge.device.escpos_profile import PrinterProfile
from edge.device.paper import Paper, SymbolRow
from edge.device.paper_reader import PaperInterpreter
from edge.receipt.layout import ReceiptLayout
from edge.receipt.slips import ClosedDay
from edge.texts import load_texts
from shared.kernel.money import currency_of
from shared.till.z_report import ZReport

AT_MS = 1_502_120_000_000
Z = ZReport("2017-08-07", receipts=3, gross_minor=1000, offer_disc_minor=150, net_minor=850)


def layout(locale: str, *, training: bool = False) -> ReceiptLayout:
    texts = load_texts(locale)
    profile = PrinterProfile()
    return ReceiptLayout(
        "Main Street", UTC, currency_of("CNY"), texts, profile, str.upper, is_training=training
    )


def paper(data: bytes, columns: int = 48) -> Paper:
    reader = PaperInterpreter(columns)
    [found] = reader.feed(data)
    assert isinstance(found, Paper)
    assert not reader.unknown
    return found


@pytest.mark.parametrize("locale", ["zh-CN", "zh-TW", "en"])
@pytest.mark.parametrize("columns", [32, 48])
def test_a_z_slip_has_the_sums_who_closed_and_the_check_code(locale: str, columns: int) -> None:
    day = ClosedDay(Z, AT_MS, "anna", "7K3M-90XQ")
    text = paper(layout(locale).z_slip(day, PrinterProfile(columns)), columns).text
    for wanted in ("2017-08-07", "2017-08-07 15:33", "ANNA", "10.00", "-1.50", "8.50", "7K3M-90XQ"):
        assert wanted in text
    assert "slip." not in text
    assert "till." not in text


def test_a_slip_leaves_out_what_is_not_known_and_what_is_nought() -> None:
    text = paper(layout("en").z_slip(ClosedDay(Z))).text
    assert "Closed" not in text
    assert "Member savings" not in text
    assert "Day check code" not in text


def test_copies_and_training_are_marked() -> None:
    text = paper(layout("en", training=True).z_slip(ClosedDay(Z, copy=1))).text
    assert "COPY 1" in text
    assert "TRAINING" in text


@pytest.mark.parametrize(
    "profile",
    [
        PrinterProfile(),
        PrinterProfile(32, cut="full"),
        PrinterProfile(42, "cp858", dots=512),
    ],
)
def test_the_test_page_fills_a_row_exactly_and_tries_both_kinds_of_code(
    profile: PrinterProfile,
) -> None:
    columns = profile.width_chars
    tried = paper(layout("en").test_page("printer-2", AT_MS, profile), columns)
    rows = tried.text.splitlines()
    ruler = [row for row in rows if row.startswith("1234567890")]
    assert [len(row) for row in ruler] == [columns]
    assert [row.kind for row in tried.rows if isinstance(row, SymbolRow)] == ["ean13", "qr"]
    assert sum("12.50" in row for row in rows) >= 6
    assert "printer-2" in tried.text
