"""Each printer that a fragment describes gets a receipt that fits its paper, in two languages."""

import tomllib
from pathlib import Path

import pytest

from edge.device.escpos_profile import profile_of
from edge.device.paper import ImageRow, TextRow
from edge.settings import parse_settings
from tests.golden.made_paper import PaperCase, paper_of

FRAGMENTS = sorted(
    (Path(__file__).resolve().parents[4] / "firmware-config" / "printers").glob("*.toml")
)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_a_receipt_fits_the_paper(path: Path, language: str) -> None:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    profile = profile_of(parse_settings(Path("data"), document).printer)
    own_set = "big5" if profile.encoding == "big5" else "gb18030"
    paper = paper_of(PaperCase(language, profile, own_set, lines=8, has_logo=True))
    rows = [row for row in paper.rows if isinstance(row, TextRow)]
    assert max(row.columns for row in rows) == paper.columns
    assert {row.columns for row in rows if row.text[-3:-2] == "."} == {paper.columns}
    assert all(
        row.raster.width <= profile.paper_dots for row in paper.rows if isinstance(row, ImageRow)
    )
    assert paper.is_cut == (profile.cut != "none")
