"""A claim survives the way from a screen through a camera and a shell."""

from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.wire.claim import Claim, claim_url, parse_claim

TOKEN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    "claim",
    [
        Claim("https://hq.shops.example", TOKEN, "ab" * 32),
        Claim("http://10.0.0.5:8080", TOKEN),
        Claim("https://hq.example/a?b=c&d", TOKEN),
    ],
)
def test_a_claim_is_read_as_it_was_made(claim: Claim) -> None:
    assert parse_claim(f" {claim_url(claim)}\n") == claim


@pytest.mark.parametrize(
    "text",
    [
        "",
        TOKEN,
        "https://hq.example",
        f"https://claim?cloud=https://hq.example&token={TOKEN}",
        f"tillbox://other?cloud=https://hq.example&token={TOKEN}",
        f"tillbox://claim?token={TOKEN}",
        "tillbox://claim?cloud=https://hq.example",
        f"tillbox://claim?cloud=file:///etc/passwd&token={TOKEN}",
        f"tillbox://claim?cloud=https://&token={TOKEN}",
        f"tillbox://claim?cloud=https://hq.example&token={TOKEN}&ca=ab",
        "tillbox://claim?cloud=https://hq.example&token=short",
        f"tillbox://[claim?cloud=https://hq.example&token={TOKEN}",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RefusedError) as problem:
        parse_claim(text)
    assert problem.value.code == "enrol.claim_url"
