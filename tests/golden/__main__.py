"""Write the golden files anew: `python -m tests.golden --write`."""

from __future__ import annotations

import argparse
import json

from tests.golden.made import FOLDER, goldens
from tests.golden.made_paper import CASES, paper_of
from tests.golden.test_paper import PICTURED
from tests.lab import paper_png


def main() -> None:
    """Without `--write` only name the files that differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace what differs")
    write = parser.parse_args().write
    for name, content in goldens():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == content:
            continue
        if write:
            path.write_text(content, encoding="utf-8")
        print("written" if write else "differs", name)  # noqa: T201 - it talks to a person
    if write:
        _write_pictures()


def _write_pictures() -> None:
    """Draw the pictures of print-outs anew; needs the font of `tests/lab/debian.py`."""
    if not paper_png.has_font():
        return
    for name in PICTURED:
        paper_png.render(paper_of(CASES[name])).save(FOLDER / f"{name}.png", optimize=True)
    digest = json.dumps({"font": paper_png.WQY_FONT.name, "sha256": paper_png.font_digest()})
    (FOLDER / "paper_font.json").write_text(f"{digest}\n", encoding="utf-8")


main()
