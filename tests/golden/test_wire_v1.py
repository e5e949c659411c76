"""Boxes and clouds of the first version are out there: what they say must be understood for ever.

The `wire_v1_*.json` files were recorded once and are never written again.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from cloud.fleet.schemas import EnrolRequest
from edge.identity import IDENTITY_FILE, Identity, load_identity
from shared.journal.chain import genesis_hash, verify_chain
from shared.journal.event import UnknownEvent
from shared.kernel.errors import RefusedError
from shared.wire import message as wire
from shared.wire.batch import decode_batch, encode_batch
from shared.wire.codec import event_data, parse_body, parse_event
from shared.wire.message import AckCode, message_bytes, parse_message
from tests.golden.made import FOLDER


def recorded(name: str) -> Any:
    return json.loads((FOLDER / f"wire_v1_{name}.json").read_text(encoding="utf-8"))


MESSAGES = [(each["kind"], each["raw"]) for each in recorded("messages")["messages"]]
BATCH = recorded("batch")


def contains(new: Any, old: Any) -> bool:
    """Whether everything old is still said, in the same words and shapes."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(
            name in new and contains(new[name], value) for name, value in old.items()
        )
    return type(new) is type(old) and new == old


def with_more(said: Any) -> Any:
    """What a later version might say: more members everywhere."""
    if not isinstance(said, dict) or all(name.isdigit() for name in said):
        return said
    more = {name: with_more(value) for name, value in said.items()}
    return {**more, "later": {"deep": [1, None, "x"]}, "zz": -1}


@pytest.mark.parametrize(("kind", "raw"), MESSAGES)
def test_a_message_of_the_first_version_is_read_and_said_again_for_its_readers(
    kind: str, raw: str
) -> None:
    message = parse_message(getattr(wire, kind), raw.encode())
    assert contains(json.loads(message_bytes(message)), json.loads(raw))


@pytest.mark.parametrize(("kind", "raw"), MESSAGES)
def test_what_a_later_version_adds_to_a_message_is_ignored(kind: str, raw: str) -> None:
    later = json.dumps(with_more(json.loads(raw))).encode()
    assert parse_message(getattr(wire, kind), later) == parse_message(
        getattr(wire, kind), raw.encode()
    )


def test_every_kind_of_message_was_recorded_and_no_ack_code_came_or_went() -> None:
    came_later = {"CommandResult", "Telemetry"}
    assert {kind for kind, _ in MESSAGES} | came_later == set(wire._ADAPTERS)
    # A box of the first version drops an acknowledgement whose code it does not know.
    assert [code.value for code in AckCode] == recorded("messages")["ack_codes"]


def test_an_ack_code_of_a_later_version_is_a_message_that_cannot_be_read() -> None:
    later = MESSAGES[0][1].replace('"ok"', '"later"').encode()
    with pytest.raises(RefusedError, match=r"wire\.message"):
        parse_message(wire.Ack, later)


@pytest.mark.parametrize("codec", ["zstd", "zlib"])
def test_a_batch_of_the_first_version_is_unpacked_to_the_very_bytes_that_were_hashed(
    codec: str,
) -> None:
    header, bodies = decode_batch(b64decode(BATCH[codec]))
    assert [body.decode() for body in bodies] == BATCH["bodies"]
    stream = bytes.fromhex(header.stream)
    pairs = zip(bodies, map(bytes.fromhex, BATCH["hashes"]), strict=True)
    assert verify_chain(stream, 0, genesis_hash(stream), pairs).hex() == header.head
    again, _ = decode_batch(encode_batch(header, bodies))
    assert again == header


def test_every_entry_of_the_first_version_is_read_and_said_again_for_its_readers() -> None:
    for body in BATCH["bodies"]:
        raw = parse_body(body.encode())
        event = parse_event(raw["type"], raw["data"])
        assert isinstance(event, UnknownEvent) == (raw["type"] == "till.counted")
        assert contains(event_data(event), raw["data"])
        later = parse_event(raw["type"], raw["data"] | {"later": [1]})
        assert isinstance(event, UnknownEvent) or later == event


def test_a_box_that_enrolled_with_the_first_version_still_knows_who_it_is(tmp_path: Path) -> None:
    said = recorded("enrolment")
    (tmp_path / IDENTITY_FILE).write_text(json.dumps(said["identity_file"]))
    loaded = load_identity(tmp_path)
    assert Identity.from_answer(said["answer"], "https://hq.example") == loaded
    assert (loaded.dev, loaded.ordinal) == ("d-abcdefghijklmnop", 1)
    request = EnrolRequest.model_validate(said["request"])
    assert request.token == said["request"]["token"]
