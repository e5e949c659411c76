"""What the printers' own ends of the cable got, read back as paper and drawn, on this machine."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops

from edge.device.paper import Paper
from edge.device.paper_reader import PaperInterpreter
from tests.golden.made_paper import CASES, paper_of, payload_of
from tests.lab import paper_png

CASE = CASES["paper_zh-CN_80_logo"]
PLUGS = ("file", "usb", "serial")


def given() -> dict[str, bytes]:
    """What the machine is to print, by file name."""
    return {"receipt.bin": payload_of(CASE)}


def problem_of(received: Path) -> str:
    """Why what came out is not the receipt; "" when it is.  Leaves the picture beside it."""
    if not received.is_file():
        return f"{received.name} is missing: the check that prints it has not come so far"
    reader = PaperInterpreter()
    papers = [each for each in reader.feed(received.read_bytes()) if isinstance(each, Paper)]
    if len(papers) != 1 or reader.unknown:
        return f"{len(papers)} pieces of paper, {reader.unknown} unknown commands"
    wanted = paper_of(CASE)
    if papers[0].text != wanted.text:
        return f"other text came out:\n{papers[0].text}"
    if not paper_png.has_font():
        return ""
    page = paper_png.render(papers[0])
    page.save(received.with_suffix(".png"))
    return _difference(page, paper_png.render(wanted))


def _difference(page: Image.Image, wanted: Image.Image) -> str:
    if page.size != wanted.size:
        return f"the picture has {page.size} dots instead of {wanted.size}"
    box = ImageChops.difference(page.convert("L"), wanted.convert("L")).getbbox()
    return f"the picture differs within {box}" if box else ""
