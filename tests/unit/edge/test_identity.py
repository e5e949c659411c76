"""Who the box is, in a file for its owner only."""

import json
from pathlib import Path

import pytest

from edge.identity import (
    BusinessDayKnown,
    Identity,
    PreviousStream,
    hardware_fingerprint,
    load_identity,
    save_identity,
)
from shared.kernel.errors import CorruptError, MissingError

ANSWER = {
    "dev": "d-abcdefghijklmnop",
    "secret": "s3cret",
    "store_id": "343",
    "store_name": "Main Street",
    "zone": "America/New_York",
    "currency": "USD",
    "stream": "ab" * 16,
    "ordinal": 1,
    "broker": {"host": "127.0.0.1", "port": 1883},
    "hq_pub": "00" * 32,
    "price_zone": "store-343",
}


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    identity = Identity.from_answer(ANSWER, "http://cloud")
    path = save_identity(tmp_path, identity)
    assert load_identity(tmp_path) == identity
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["identity.json"]


def test_before_enrolment_it_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"identity\.missing"):
        load_identity(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"dev": 1}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "identity.json").write_text(text, encoding="utf-8")
    with pytest.raises(CorruptError, match=r"identity\.corrupt"):
        load_identity(tmp_path)


def test_an_answer_that_lacks_a_field_is_refused() -> None:
    with pytest.raises(KeyError):
        Identity.from_answer(
            {key: ANSWER[key] for key in ANSWER if key != "stream"}, "http://cloud"
        )


def test_a_machine_keeps_its_fingerprint() -> None:
    assert hardware_fingerprint() == hardware_fingerprint()
    assert len(hardware_fingerprint()) == 32


PREVIOUS = {
    "stream": "0a" * 16,
    "seq": 4,
    "hash": "0b" * 32,
    "journal_pub": "0c" * 32,
    "dev": "d-x",
}


def test_what_stood_before_a_swapped_box_is_remembered(tmp_path: Path) -> None:
    answer = {
        **ANSWER,
        "cause": "swap",
        "previous": [PREVIOUS],
        "day": {"biz": "2017-08-07", "is_open": True},
        "public_url": "https://receipts.example",
    }
    identity = Identity.from_answer(answer, "http://cloud")
    save_identity(tmp_path, identity)
    found = load_identity(tmp_path)
    assert found == identity
    assert found.previous == (PreviousStream(**PREVIOUS),)
    assert (found.cause, found.day) == ("swap", BusinessDayKnown("2017-08-07", is_open=True))


def test_an_identity_of_older_software_has_no_past(tmp_path: Path) -> None:
    save_identity(tmp_path, Identity.from_answer(ANSWER, "http://cloud"))
    path = tmp_path / "identity.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    for name in ("cause", "previous", "day", "public_url"):
        del fields[name]
    path.write_text(json.dumps(fields), encoding="utf-8")
    found = load_identity(tmp_path)
    assert (found.cause, found.previous, found.day, found.public_url) == ("enrol", (), None, "")


@pytest.mark.parametrize("previous", [7, [7], [{}], [{**PREVIOUS, "seq": "four"}]])
def test_a_damaged_past_is_named(tmp_path: Path, previous: object) -> None:
    save_identity(tmp_path, Identity.from_answer(ANSWER, "http://cloud"))
    path = tmp_path / "identity.json"
    fields = json.loads(path.read_text(encoding="utf-8")) | {"previous": previous}
    path.write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(CorruptError, match=r"identity\.corrupt"):
        load_identity(tmp_path)
