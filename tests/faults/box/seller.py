"""A journal in a process of its own, so that the kernel can be made to fail it.

`python -m tests.faults.box.seller FOLDER` reads the id of a sale per line and answers with what
became of it. An empty line asks how the journal is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared.kernel.errors import RetailError
from tests.integration.edge.boxes import a_journal, a_sale_draft, open_day


@dataclass
class Seller:
    """The process as its parent sees it."""

    process: subprocess.Popen[str]

    def sell(self, sale_id: str) -> dict[str, Any]:
        """Append a sale; `seq` when it is kept, else `error`."""
        return self._ask(sale_id)

    def facts(self) -> dict[str, Any]:
        """Stream, cause of its life, head and file."""
        return self._ask("")

    def kill(self) -> None:
        """As a power cut of the process."""
        self.process.kill()
        self.process.wait(10)

    def _ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = ""
        while not answer.startswith("{"):  # what the log says stands between
            answer = self.process.stdout.readline()
            assert answer, "the process ended"
        found: dict[str, Any] = json.loads(answer)
        return found


def command(folder: Path) -> list[str]:
    """Its command line."""
    return [sys.executable, "-m", "tests.faults.box.seller", str(folder)]


@contextmanager
def a_seller(arguments: Sequence[str]) -> Iterator[Seller]:
    """Start it; ended when the block ends."""
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield Seller(process)
    finally:
        process.kill()
        process.communicate()


def main(folder: str) -> None:
    """Answer until the input ends."""
    journal = a_journal(Path(folder))
    day = journal.day()
    if day is None or not day.is_open:
        open_day(journal)
    for line in sys.stdin:
        sale_id = line.strip()
        answer: dict[str, Any]
        try:
            if sale_id:
                answer = {"seq": journal.append(replace(a_sale_draft(journal), id=sale_id)).seq}
            else:
                answer = {
                    "stream": journal.stream,
                    "cause": journal.cause,
                    "head": journal.head()[0],
                    "file": journal.path.name,
                }
        except RetailError as error:
            answer = {"error": error.code}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
