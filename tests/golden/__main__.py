"""Write the golden files anew: `python -m tests.golden --write`."""

from __future__ import annotations

import argparse

from tests.golden.made import FOLDER, goldens


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


main()
