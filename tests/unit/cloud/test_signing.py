"""Head office's key and the signatures of boxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.signing import create_hq_key, is_signed_by, read_hq_key
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError


def test_a_key_survives_its_file_and_signs_the_same(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "hq.key"
    made = create_hq_key(path)
    found = read_hq_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert found.public_hex == made.public_hex
    assert found.derive("x", b"1") == made.derive("x", b"1") != made.derive("y", b"1")
    public, signature = bytes.fromhex(made.public_hex), found.sign(b"prices")
    assert is_signed_by(public, signature, b"prices")
    assert not is_signed_by(public, signature, b"other prices")
    assert not is_signed_by(public, signature[:-1], b"prices")
    assert not is_signed_by(b"short", signature, b"prices")


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_hq_key(tmp_path / "hq.key")
    with pytest.raises(RefusedError, match=r"hq_key\.exists"):
        create_hq_key(tmp_path / "hq.key")


def test_a_missing_open_or_damaged_key_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "hq.key"
    with pytest.raises(UnavailableError, match=r"hq_key\.missing"):
        read_hq_key(path)
    create_hq_key(path)
    path.chmod(0o644)
    with pytest.raises(RefusedError, match=r"hq_key\.readable"):
        read_hq_key(path)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(CorruptError, match=r"hq_key\.damaged"):
        read_hq_key(path)
