"""Which passwords are refused, and why."""

from __future__ import annotations

import pytest

from cloud.identity.policy import require_good
from shared.kernel.errors import RefusedError


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "user.password_short"),
        ("x7Q!kd93s", "user.password_short"),
        ("1234567890", "user.password_guessable"),
        ("password123", "user.password_guessable"),
        ("qwertyuiop", "user.password_guessable"),
        ("aaaaaaaaaaaaaaaa", "user.password_guessable"),
        ("Tillbox2026!", "user.password_guessable"),
        ("alice.wonder", "user.password_guessable"),
        ("x" * 300, "user.password_long"),
    ],
)
def test_what_is_tried_first_is_refused(password: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        require_good(password, "alice", "Alice Wonder", "alice@example.com")
    assert refused.value.code == code


@pytest.mark.parametrize("password", ["correct horse", "魚 山 lantern violet", "kT9-vq2Lp_0w"])
def test_several_words_or_much_chance_are_good(password: str) -> None:
    require_good(password, "alice")


def test_a_very_long_password_is_judged_quickly() -> None:
    require_good("seven lanterns over the harbour " * 8, "alice")
