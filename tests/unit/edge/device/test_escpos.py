from edge.device.escpos import PrinterProfile, encode
from edge.device.paper import Paper, SymbolRow, TextRow
from edge.device.paper_reader import PaperInterpreter
from shared.sale.receipt import Align, LineKind, ReceiptLine

_WIDE = PrinterProfile()


def printed(lines: list[ReceiptLine], profile: PrinterProfile = _WIDE) -> Paper:
    reader = PaperInterpreter(profile.width_chars)
    [paper] = reader.feed(encode(lines, profile))
    assert isinstance(paper, Paper)
    assert not reader.unknown
    return paper


def test_chinese_and_ascii_text_share_a_row() -> None:
    [row, *_] = printed([ReceiptLine("合计 Total 12.50")]).rows
    assert isinstance(row, TextRow)
    assert row.text == "合计 Total 12.50"
    assert row.columns == 16


def test_scale_two_is_double_width_and_height_for_both_scripts() -> None:
    [row, *_] = printed([ReceiptLine("合计 12", Align.CENTER, bold=True, scale=2)]).rows
    assert isinstance(row, TextRow)
    assert {(s.style.width, s.style.height, s.style.is_bold) for s in row.spans} == {(2, 2, True)}
    assert row.align == "center"


def test_the_narrow_yen_sign_becomes_the_wide_one_and_the_amount_keeps_its_column() -> None:
    line = "合计".ljust(10) + "¥12.50"
    [row, *_] = printed([ReceiptLine(line)], PrinterProfile(width_chars=18)).rows
    assert isinstance(row, TextRow)
    assert row.text == "合计" + " " * 7 + "￥12.50"
    assert row.columns == 18


def test_control_characters_in_a_name_cannot_command_the_printer() -> None:
    paper = printed([ReceiptLine("milk\x1bp\x00\x32\x32\x1dV\x00")])
    assert paper.text.splitlines()[0] == "milk p 22 V"


def test_a_gtin_prints_as_ean13_and_a_receipt_number_as_code128() -> None:
    lines = [
        ReceiptLine("6901234567892", Align.CENTER, kind=LineKind.BARCODE),
        ReceiptLine("343-1-000042", Align.CENTER, kind=LineKind.BARCODE),
    ]
    symbols = [row for row in printed(lines).rows if isinstance(row, SymbolRow)]
    assert [(s.kind, s.data) for s in symbols] == [
        ("ean13", "6901234567892"),
        ("barcode", "343-1-000042"),
    ]


def test_a_number_too_long_for_the_paper_prints_as_a_qr_code() -> None:
    text = "343-20170807-0000000042-0123456789"
    [symbol, *_] = printed(
        [ReceiptLine(text, kind=LineKind.BARCODE)], PrinterProfile(width_chars=32)
    ).rows
    assert symbol == SymbolRow("qr", text)


def test_a_western_printer_gets_code_page_437_and_question_marks_for_the_rest() -> None:
    profile = PrinterProfile(encoding="cp437")
    assert printed([ReceiptLine("café 合")], profile).text.splitlines()[0] == "café ?"


def test_without_a_cutter_the_paper_is_torn_off() -> None:
    reader = PaperInterpreter()
    assert reader.feed(encode([ReceiptLine("a")], PrinterProfile(cut="none"))) == []
    paper = reader.tear_off()
    assert paper is not None
    assert paper.text.strip() == "a"
    assert not paper.is_cut


def test_an_address_is_drawn_as_a_qr_code_in_its_place() -> None:
    address = "https://hq.example/r/343/2017-08-07/1-000017/7K3M-90XQ-H2VD-4T8A"
    for profile in (_WIDE, PrinterProfile(32, "cp437")):
        above, symbol, below, *_ = printed(
            [
                ReceiptLine("above"),
                ReceiptLine(address, Align.CENTER, kind=LineKind.QR),
                ReceiptLine("below"),
            ],
            profile,
        ).rows
        assert symbol == SymbolRow("qr", address, "center")
        assert [row.text for row in (above, below) if isinstance(row, TextRow)] == [
            "above",
            "below",
        ]
