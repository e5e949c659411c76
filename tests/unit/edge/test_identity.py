"""Who the box is, in a file for its owner only."""

from pathlib import Path

import pytest

from edge.identity import Identity, hardware_fingerprint, load_identity, save_identity
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
