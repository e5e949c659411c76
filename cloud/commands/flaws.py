"""What is wrong, in a sentence for a person."""

from __future__ import annotations

from cloud.texts import sentence
from shared.kernel.errors import RetailError


def flaw_text(code: str, *, seq: int = -1, name: str = "") -> str:
    """The text of a flaw's code; `seq` names an entry, `name` an object."""
    return sentence(RetailError(code, seq=seq, sha256=name))
