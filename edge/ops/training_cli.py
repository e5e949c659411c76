"""The command `tillbox-edge train-sale`: one sale in training, by the running box."""

from __future__ import annotations

import json
import os
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from edge.clock import SystemClock
from edge.journal.reader import JournalReader
from edge.ops.errand import TRAINING, ask
from edge.settings import Settings, load_settings
from edge.texts import load_texts
from shared.kernel.errors import UnavailableError

PASSED, NO_PRINTER, NO_GOODS = "passed", "printer.none", "training.no_goods"
DONE_FILE = "trained.json"
"""There once a box has sold in training and printed it: who sets boxes up asks for no second."""
_PAUSE_S = 0.1
_PATIENCE = (40, 1200)
_AGAIN_S = 1.0


def train_sale(options: Namespace) -> int:
    """Sell in training; 0 when all of it worked.  See `tillbox-edge train-sale --help`.

    Waits up to `options.wait_s` seconds for goods to sell; UnavailableError `training.not_running`.
    """
    folder: Path = options.data
    settings, clock = load_settings(folder), SystemClock()
    if options.first and has_sold(settings):
        _say("This box has sold already: nothing is printed.")
        return 0
    until_ms = clock.mono_ms() + options.wait_s * 1000
    found = _asked(folder, clock)
    while found.get("sale") == NO_GOODS and clock.mono_ms() < until_ms:
        time.sleep(_AGAIN_S)
        found = _asked(folder, clock)
    is_passed = all(result in {PASSED, NO_PRINTER} for result in found.values())
    if is_passed:
        (folder / DONE_FILE).write_text(json.dumps({"at_ms": clock.now_ms()} | found))
    if options.json:
        _say(json.dumps({"ok": is_passed, "results": found}, ensure_ascii=False))
    else:
        _say_all(found, load_texts(settings.box.locale))
    return 0 if is_passed else 1


def has_sold(settings: Settings) -> bool:
    """Whether the box's journal has a sale, in training or in earnest."""
    folder = settings.data_dir
    if (folder / DONE_FILE).exists():
        return True
    journal = JournalReader(folder / "journal.db")
    journal.open()
    try:
        return any(journal.recent_sales(lane, 1) for lane in settings.lane_numbers())
    finally:
        journal.close()


def _asked(folder: Path, clock: SystemClock) -> dict[str, str]:
    name = f"{os.getpid()}-{clock.now_ms()}"
    found = ask(folder, name, lambda: time.sleep(_PAUSE_S), _PATIENCE, TRAINING)
    if found is None:
        raise UnavailableError("training.not_running")
    return found


def _say_all(found: Mapping[str, str], texts: Mapping[str, str]) -> None:
    width = max(map(len, found), default=0)
    for name, result in found.items():
        words = texts.get(f"device.fault.{result}") or texts.get(f"error.{result}", "")
        _say(f"{name:{width}}  {result}" + (f"  {words}" if words else ""))


def _say(text: str) -> None:
    print(text)  # noqa: T201
