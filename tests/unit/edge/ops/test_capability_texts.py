"""The device page has a word for everything that a device can do, and none for what none can."""

import json
from dataclasses import fields
from pathlib import Path
from typing import get_args

from edge.device.ports import Capability

TEXTS = Path(__file__).resolve().parents[4] / "shared" / "i18n" / "en.json"
ANSWERS = {"yes", "no"}


def test_each_capability_has_its_word_and_each_word_its_capability() -> None:
    known = {field.name for kind in get_args(Capability) for field in fields(kind)}
    prefix = "device.can."
    words = {key.removeprefix(prefix) for key in json.loads(TEXTS.read_text()) if prefix in key}
    assert words - ANSWERS == known
