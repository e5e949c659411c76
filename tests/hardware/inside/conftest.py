"""Runs inside the lab's machine only: gadgets for each check, and one line of result for each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.hardware import gadgets
from tests.hardware.gadgets import Gadget, Identity, KeyboardGadget, PrinterGadget, SerialGadget

OUT = Path("/run/out")
# Made on the host: what it takes to lay a receipt out takes half a minute to import here.
PRINTED = "receipt.bin"
RESULTS = OUT / "results.jsonl"
G = TypeVar("G", bound=Gadget)


def pytest_sessionstart() -> None:
    if not gadgets.ROOT.is_dir() or not OUT.is_dir():
        pytest.exit("these checks run inside the lab's machine: make test-hardware", returncode=3)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when != "call" and report.passed:
        return
    line = {
        "check": report.nodeid.rpartition("/")[2],
        "outcome": report.outcome,
        "took_s": round(report.duration, 2),
        "measured": dict(report.user_properties),
        "problem": report.longreprtext[-4000:] if report.failed else "",
    }
    with RESULTS.open("a", encoding="utf-8") as results:
        results.write(json.dumps(line) + "\n")


class Bench:
    """The devices of one check; all are unplugged and taken apart after it."""

    def __init__(self) -> None:
        self._made: list[Gadget] = []

    def keyboard(self, identity: Identity) -> KeyboardGadget:
        return self._keep(KeyboardGadget(self._name(), identity))

    def printer(self, identity: Identity = gadgets.PRINTER) -> PrinterGadget:
        return self._keep(PrinterGadget(self._name(), identity))

    def serial(self, identity: Identity) -> SerialGadget:
        return self._keep(SerialGadget(self._name(), identity))

    def clear(self) -> None:
        while self._made:
            self._made.pop().remove()

    def _name(self) -> str:
        return f"g{len(self._made)}"

    def _keep(self, gadget: G) -> G:
        self._made.append(gadget)
        return gadget


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.clear()


@pytest.fixture
def keep() -> Callable[[str, bytes], None]:
    """Hands bytes to the host, which looks at them after this machine is gone."""

    def write(name: str, data: bytes) -> None:
        with (OUT / name).open("wb") as file:
            file.write(data)
            os.fsync(file.fileno())

    return write
