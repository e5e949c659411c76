"""A difference here reaches boxes in the field, HQ's archive or a customer's hand: look twice.

A changed receipt is a matter of taste. A changed schema must still read every entry that was
ever written; changed hashes or canonical bytes part the boxes from HQ and are never right.
"""

from __future__ import annotations

import difflib
import json

import pytest

from shared.journal.chain import genesis_hash, verify_chain
from shared.journal.event import UnknownEvent
from shared.kernel.canonical import canonical_bytes
from shared.publication.manifest import manifest_bytes, parse_manifest
from shared.sale.columns import text_columns
from shared.wire.codec import event_data, parse_body, parse_event
from tests.golden.made import FOLDER, goldens

REGENERATE = "python -m tests.golden --write"
GOLDENS = dict(goldens())


@pytest.mark.parametrize("name", GOLDENS)
def test_nothing_changed_unnoticed(name: str) -> None:
    content = GOLDENS[name]
    committed = (FOLDER / name).read_text(encoding="utf-8")
    changes = "\n".join(
        difflib.unified_diff(
            committed.splitlines(), content.splitlines(), f"{name} (committed)", "now", lineterm=""
        )
    )
    assert committed == content, f"{changes}\n\nIf that is meant: {REGENERATE}"


def test_entries_of_the_past_still_verify_and_read() -> None:
    past = json.loads((FOLDER / "protocol.json").read_text(encoding="utf-8"))
    stream = bytes.fromhex(past["stream"])
    bodies = [body.encode() for body in past["bodies"]]
    hashes = [bytes.fromhex(each) for each in past["hashes"]]
    entries = zip(bodies, hashes, strict=True)
    assert verify_chain(stream, 0, genesis_hash(stream), entries) == hashes[-1]
    for body in bodies:
        raw = parse_body(body)
        assert canonical_bytes(raw) == body
        assert event_data(parse_event(raw["type"], raw["data"])) == raw["data"]
    assert isinstance(parse_event("till.counted", {}), UnknownEvent)


def test_a_manifest_of_the_past_still_reads() -> None:
    past = json.loads((FOLDER / "protocol.json").read_text(encoding="utf-8"))
    data = past["manifest"].encode()
    assert manifest_bytes(parse_manifest(data)) == data


@pytest.mark.parametrize("columns", [48, 32])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_row_of_a_receipt_is_wider_than_its_paper(language: str, columns: int) -> None:
    text = (FOLDER / f"receipt_{language}_{columns}.txt").read_text(encoding="utf-8")
    assert [row for row in text.split("\n") if text_columns(row) > columns] == []
