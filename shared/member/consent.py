"""What a member agreed to, when, and by which words."""

from __future__ import annotations

from dataclasses import dataclass

from shared.kernel.errors import RefusedError

MEMBERSHIP, MARKETING = "membership", "marketing"
PURPOSES = (MEMBERSHIP, MARKETING)
"""`membership` is asked of everybody who joins; `marketing` is free."""
TEXT_VERSION = "2026-11"
"""Of the words that are shown (`member.consent.*`): another meaning needs another version."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A purpose was agreed to, or taken back (`is_given` false), by the words of a version."""

    purpose: str
    is_given: bool
    text_version: str


def check_consents(consents: tuple[Consent, ...]) -> None:
    """RefusedError `member.consent` unless membership is agreed to and every purpose is known."""
    known = all(each.purpose in PURPOSES for each in consents)
    if not known or not any(each.purpose == MEMBERSHIP and each.is_given for each in consents):
        raise RefusedError("member.consent")
