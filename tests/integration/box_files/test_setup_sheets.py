"""Set-up sheets: what is printed is what a scanner reads, told by an independent reader."""

import subprocess
from pathlib import Path

import pytest
from reportlab.graphics.barcode.code128 import Code128

from edge.__main__ import main
from edge.device.setup_sheet import read_sheet, sheet_pdf, symbol_text
from shared.kernel.errors import RefusedError

FOLDER = Path(__file__).resolve().parents[3] / "firmware-config" / "scanners" / "setup"
SHEETS = sorted(FOLDER.glob("*.toml"))
START_B, VALUE_OF_FNC3 = 104, 96


def run(*command: str) -> str:
    return subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    ).stdout


def read_by_a_scanner(pdf: Path, folder: Path) -> set[str]:
    run("pdftoppm", "-r", "200", "-gray", str(pdf), str(folder / pdf.stem))
    return set(run("zbarimg", "--raw", "-q", *map(str, sorted(folder.glob("*.pgm")))).splitlines())


def test_there_are_sheets() -> None:
    assert {path.stem for path in SHEETS} == {"honeywell", "opticon"}


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_the_printed_sheet_says_to_a_scanner_what_its_description_says(
    path: Path, tmp_path: Path
) -> None:
    sheet = read_sheet(path)
    wanted = {step.command for step in (*sheet.steps, *sheet.options)} | {"6901234567892"}
    assert read_by_a_scanner(path.with_suffix(".pdf"), tmp_path) == wanted


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_the_sheet_made_now_is_the_sheet_that_lies_in_the_folder(
    path: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.pdf"
    assert main(["scanner-sheet", str(path), "--out", str(made)]) == 0
    assert run("pdftotext", str(made), "-") == run("pdftotext", str(path.with_suffix(".pdf")), "-")


def test_orders_to_the_scanner_begin_with_fnc3() -> None:
    sheet = read_sheet(FOLDER / "honeywell.toml")
    bars = Code128(symbol_text(sheet, sheet.steps[0]))
    bars.validate()
    bars.encode()
    assert bars.encoded[:2] == [START_B, VALUE_OF_FNC3]
    plain = read_sheet(FOLDER / "opticon.toml")
    assert symbol_text(plain, plain.steps[0]) == plain.steps[0].command


def test_the_same_sheet_gives_the_same_bytes() -> None:
    sheet = read_sheet(FOLDER / "opticon.toml")
    assert sheet_pdf(sheet) == sheet_pdf(sheet)


@pytest.mark.parametrize(
    "text",
    [
        "maker = ",
        'maker = "A"\nmodels = "B"\nsetting = ""\nsymbol = "code39"\nstep = []\n',
        (
            'maker = "A"\nmodels = "B"\nsetting = ""\nsymbol = "fnc3"\n[[step]]\ncommand = "码"\n'
            'title = ["a", "b", "c"]\nwhy = ["a", "b", "c"]\n'
        ),
    ],
)
def test_a_sheet_that_cannot_be_read_is_refused_in_words(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError) as refused:
        read_sheet(path)
    assert refused.value.code == "sheet.unreadable"
    assert main(["scanner-sheet", str(path), "--out", str(tmp_path / "x.pdf")]) == 1
    assert str(path) in capsys.readouterr().err
    assert not (tmp_path / "x.pdf").exists()
