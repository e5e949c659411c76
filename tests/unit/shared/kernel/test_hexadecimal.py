from __future__ import annotations

import pytest

from shared.kernel.hexadecimal import is_hex


def test_exactly_the_form_that_bytes_have() -> None:
    assert is_hex(b"\x00\xab\xff".hex(), 3)


@pytest.mark.parametrize("text", ["", "00abf", "00abff00", "00ABFF", "00 abff", "00abfg", None, 5])
def test_any_other_spelling_is_none(text: object) -> None:
    assert not is_hex(text, 3)
