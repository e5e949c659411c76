from __future__ import annotations

import uuid

import pytest

from shared.kernel.ids import uuid7

AT_MS = 0x017F22E279B0


def test_rfc_9562_example() -> None:
    # RFC 9562, appendix A.6: unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
    random_bytes = (0xCC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert uuid7(AT_MS, random_bytes) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@pytest.mark.parametrize("fill", [0x00, 0xFF, 0xA5])
def test_version_and_variant_stand_whatever_the_randomness(fill: int) -> None:
    made = uuid.UUID(uuid7(AT_MS, bytes([fill]) * 10))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122


def test_later_ids_sort_behind_earlier_ones() -> None:
    made = [uuid7(AT_MS + ms, bytes([255 - ms]) * 10) for ms in range(200)]
    assert made == sorted(made)


@pytest.mark.parametrize("size", [0, 9, 11, 16])
def test_randomness_has_ten_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7(AT_MS, bytes(size))
